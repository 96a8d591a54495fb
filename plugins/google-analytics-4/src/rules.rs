//! What Google Analytics expects of the events that it knows, and which properties it comes from:
//! <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events>.

/// Where an event's worth (`value`, with its `currency`) comes from; the first of these that is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It has none.
    None,
    /// `total`, `value`, `revenue`.
    Total,
    /// `total`, `price`, `value`, `revenue`: one product, or something that is no product.
    TotalOrPrice,
    /// `total`, `value`, `revenue`, `price` times `quantity`: some of one product.
    TotalOrProduct,
}

/// Where the list of an event's `items` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Items {
    /// `products`, if there are any.
    Optional,
    /// `products`.
    Required,
    /// `products`, or else the properties themselves are a product.
    Own,
}

/// An event that Google knows.
#[derive(Debug)]
pub struct Rule {
    /// Its name there.
    pub name: &'static str,
    /// Parameters, each with the properties that it comes from: the first that is there.
    pub renamed: &'static [(&'static str, &'static [&'static str])],
    /// Parameters without which it says nothing.
    pub required: &'static [&'static str],
    /// Its worth.
    pub worth: Worth,
    /// Its items.
    pub items: Items,
}

/// What holds for an event that has no rule of its own.
pub const CUSTOM: Rule = Rule { name: "", renamed: &[], required: &[], worth: Worth::None, items: Items::Optional };

const LIST: &[(&str, &[&str])] = &[("item_list_id", &["list_id"]), ("item_list_name", &["category"])];
const PROMOTION: &[(&str, &[&str])] = &[
    ("creative_name", &["creative_name", "creative"]),
    ("creative_slot", &["creative_slot", "position"]),
    ("promotion_name", &["promotion_name", "name"]),
];
const TRANSACTION: &[(&str, &[&str])] = &[("transaction_id", &["order_id", "transaction_id"])];

const RULES: &[Rule] = &[
    Rule { renamed: &[("search_term", &["query", "search_term"])], required: &["search_term"], ..named("search") },
    Rule { renamed: LIST, items: Items::Required, ..named("view_item_list") },
    Rule { renamed: LIST, items: Items::Own, ..named("select_item") },
    Rule { renamed: PROMOTION, items: Items::Required, ..named("view_promotion") },
    Rule { renamed: PROMOTION, ..named("select_promotion") },
    Rule { worth: Worth::TotalOrPrice, items: Items::Own, ..named("view_item") },
    Rule { worth: Worth::TotalOrPrice, items: Items::Own, ..named("add_to_wishlist") },
    Rule { worth: Worth::TotalOrProduct, items: Items::Own, ..named("add_to_cart") },
    Rule { worth: Worth::TotalOrProduct, items: Items::Own, ..named("remove_from_cart") },
    Rule { worth: Worth::Total, items: Items::Required, ..named("view_cart") },
    Rule { worth: Worth::Total, items: Items::Required, ..named("begin_checkout") },
    Rule {
        renamed: &[("shipping_tier", &["shipping_method", "shipping_tier"])],
        worth: Worth::Total,
        items: Items::Required,
        ..named("add_shipping_info")
    },
    Rule {
        renamed: &[("payment_type", &["payment_method", "payment_type"])],
        worth: Worth::Total,
        items: Items::Required,
        ..named("add_payment_info")
    },
    Rule {
        renamed: TRANSACTION,
        required: &["transaction_id"],
        worth: Worth::Total,
        items: Items::Required,
        ..named("purchase")
    },
    Rule { renamed: TRANSACTION, required: &["transaction_id"], worth: Worth::Total, ..named("refund") },
    Rule {
        renamed: &[("method", &["share_via", "method"]), ("item_id", &["item_id", "product_id", "cart_id", "sku"])],
        ..named("share")
    },
    Rule { worth: Worth::TotalOrPrice, ..named("generate_lead") },
    Rule { required: &["score"], ..named("post_score") },
    Rule { required: &["achievement_id"], ..named("unlock_achievement") },
    named("campaign_details"),
    named("earn_virtual_currency"),
    named("join_group"),
    named("level_end"),
    named("level_start"),
    named("level_up"),
    named("login"),
    named("select_content"),
    named("sign_up"),
    named("spend_virtual_currency"),
    named("tutorial_begin"),
    named("tutorial_complete"),
    named("view_search_results"),
];

const fn named(name: &'static str) -> Rule {
    Rule { name, ..CUSTOM }
}

/// The rule of an event with this name, in small letters.
pub fn of(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}
