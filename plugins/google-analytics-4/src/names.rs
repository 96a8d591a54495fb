//! Names of events, and names that Google keeps for itself:
//! <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference#reserved_names>,
//! <https://support.google.com/analytics/answer/13316687>.

use std::borrow::Cow;

/// Letters of an event's name, at most.
const LENGTH_MAX: usize = 40;

/// Events of the e-commerce specification of RudderStack and Segment that are called otherwise.
const RENAMED: [(&str, &str); 17] = [
    ("products_searched", "search"),
    ("product_list_viewed", "view_item_list"),
    ("promotion_viewed", "view_promotion"),
    ("promotion_clicked", "select_promotion"),
    ("product_clicked", "select_item"),
    ("product_viewed", "view_item"),
    ("product_added", "add_to_cart"),
    ("product_removed", "remove_from_cart"),
    ("product_added_to_wishlist", "add_to_wishlist"),
    ("cart_viewed", "view_cart"),
    ("checkout_started", "begin_checkout"),
    ("checkout_step_completed", "add_shipping_info"),
    ("payment_info_entered", "add_payment_info"),
    ("order_completed", "purchase"),
    ("order_refunded", "refund"),
    ("product_shared", "share"),
    ("cart_shared", "share"),
];

/// Events that Google collects by itself, of web and app streams.
const RESERVED: [&str; 40] = [
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_background",
    "app_clear_data",
    "app_exception",
    "app_install",
    "app_remove",
    "app_store_refund",
    "app_store_subscription_cancel",
    "app_store_subscription_convert",
    "app_store_subscription_renew",
    "app_update",
    "app_upgrade",
    "dynamic_link_app_open",
    "dynamic_link_app_update",
    "dynamic_link_first_open",
    "error",
    "firebase_campaign",
    "firebase_in_app_message_action",
    "firebase_in_app_message_dismiss",
    "firebase_in_app_message_impression",
    "first_open",
    "first_visit",
    "in_app_purchase",
    "notification_dismiss",
    "notification_error",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "notification_send",
    "os_update",
    "remote_config_activate",
    "remote_config_fetch",
    "session_start",
    "session_start_with_rollout",
    "user_engagement",
];

/// Prefixes of names, of events and of parameters.
const PREFIXES: [&str; 5] = ["_", "firebase_", "ga_", "google_", "gtag."];

/// Names of user properties; some of them are set by other members of a request.
const USER_PROPERTIES: [&str; 5] =
    ["first_open_after_install", "first_open_time", "first_visit_time", "last_deep_link_referrer", "user_id"];
const USER_PROPERTY_PREFIXES: [&str; 4] = ["_", "firebase_", "ga_", "google_"];

/// The name of an event as it is compared: in small letters, with underscores for blanks.
pub fn key(event: &str) -> String {
    event.split_whitespace().collect::<Vec<&str>>().join("_").to_lowercase()
}

/// What Google calls an event with this key, if it is one of the e-commerce specification.
pub fn renamed(key: &str) -> Option<&'static str> {
    RENAMED.iter().find(|(theirs, _)| *theirs == key).map(|(_, name)| *name)
}

/// An event's own name: blanks become underscores, the case stays.
///
/// # Errors
/// Why Google would drop it silently.
pub fn custom(event: &str) -> Result<Cow<'_, str>, String> {
    let blank = event.contains(char::is_whitespace);
    let name: Cow<'_, str> =
        if blank { event.split_whitespace().collect::<Vec<&str>>().join("_").into() } else { event.into() };
    if RESERVED.contains(&&*name) || is_reserved(&name) {
        return Err(format!("the event name {name:?} is reserved by Google Analytics"));
    }
    let written = name.chars().all(|c| c.is_alphanumeric() || c == '_') && name.starts_with(char::is_alphabetic);
    if !written || name.chars().count() > LENGTH_MAX {
        return Err(format!(
            "{name:?} is no event name of Google Analytics: letters, digits and underscores, a letter first, \
             {LENGTH_MAX} at most"
        ));
    }
    Ok(name)
}

/// Whether a parameter may not be called so.
pub fn is_reserved(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a user property may not be called so.
pub fn is_reserved_user_property(name: &str) -> bool {
    USER_PROPERTIES.contains(&name) || USER_PROPERTY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
