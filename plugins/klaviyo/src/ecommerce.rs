//! Events of a shop under the names that Klaviyo's own flows and templates look for.
//!
//! Only the API of 2023 is given them; since then events are sent as they are, and a metric is mapped in Klaviyo.

use pintle_plugin_sdk::json::Members;
use pintle_plugin_sdk::object::{Object, filled, items};
use serde_json::value::RawValue;

/// Klaviyo's names for an event, and for its properties.
#[derive(Debug)]
pub(crate) struct Metric {
    /// The event's name.
    pub name: &'static str,
    properties: &'static [(&'static str, &'static str)],
    has_items: bool,
}

const VIEWED: Metric = Metric {
    name: "Viewed Product",
    properties: &[
        ("name", "ProductName"),
        ("product_id", "ProductID"),
        ("sku", "SKU"),
        ("image_url", "ImageURL"),
        ("url", "URL"),
        ("brand", "Brand"),
        ("price", "Price"),
        ("compare_at_price", "CompareAtPrice"),
        ("categories", "Categories"),
    ],
    has_items: false,
};

const ADDED: Metric = Metric {
    name: "Added to Cart",
    properties: &[
        ("value", "$value"),
        ("name", "AddedItemProductName"),
        ("product_id", "AddedItemProductID"),
        ("sku", "AddedItemSKU"),
        ("image_url", "AddedItemImageURL"),
        ("url", "AddedItemURL"),
        ("price", "AddedItemPrice"),
        ("quantity", "AddedItemQuantity"),
        ("categories", "AddedItemCategories"),
        ("item_names", "ItemNames"),
        ("checkout_url", "CheckoutURL"),
    ],
    has_items: true,
};

const STARTED: Metric = Metric {
    name: "Started Checkout",
    properties: &[
        ("order_id", "$event_id"),
        ("value", "$value"),
        ("categories", "Categories"),
        ("item_names", "ItemNames"),
        ("checkout_url", "CheckoutURL"),
    ],
    has_items: true,
};

const ITEM: &[(&str, &str)] = &[
    ("product_id", "ProductID"),
    ("sku", "SKU"),
    ("name", "ProductName"),
    ("quantity", "Quantity"),
    ("price", "ItemPrice"),
    ("total", "RowTotal"),
    ("url", "ProductURL"),
    ("image_url", "ImageURL"),
    ("categories", "ProductCategories"),
];

/// The metric that an event's name stands for, however it is written.
pub(crate) fn metric(event: &str) -> Option<&'static Metric> {
    Some(match event.trim().to_ascii_lowercase().as_str() {
        "product viewed" | "product clicked" => &VIEWED,
        "product added" => &ADDED,
        "checkout started" => &STARTED,
        _ => return None,
    })
}

impl Metric {
    /// Writes the properties under Klaviyo's names. What has none there is left out.
    pub fn write(&self, given: Option<&Members<'_>>, flatten: bool, object: &mut Object) {
        let mut put = |name: &str, value: &RawValue| {
            if flatten { object.flat(name, value) } else { object.raw(name, value.get()) }
        };
        for (name, value) in renamed(given, self.properties) {
            put(name, value);
        }
        let list = |name: &str| Some(items(given?.get(name)?)).filter(|items| !items.is_empty());
        let Some(list) = list("products").or_else(|| list("items")).filter(|_| self.has_items) else { return };
        let mut written = Vec::new();
        for item in list {
            let mut members = Object::new();
            for (name, value) in renamed(Members::of(item).as_ref(), ITEM) {
                members.raw(name, value.get());
            }
            written.push(String::from_utf8(members.end()).unwrap_or_default());
        }
        written.retain(|item| item != "{}");
        if let Ok(list) = RawValue::from_string(format!("[{}]", written.join(",")))
            && !written.is_empty()
        {
            put("items", &list);
        }
    }
}

/// What says something of an object's members, under Klaviyo's names.
fn renamed<'a>(
    given: Option<&Members<'a>>,
    names: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = (&'static str, &'a RawValue)> {
    let theirs = |name: &str| names.iter().find(|(ours, _)| *ours == name).map(|(_, theirs)| *theirs);
    let members = given.into_iter().flat_map(Members::iter);
    members.filter_map(move |(name, value)| Some((theirs(&name)?, filled(value)?)))
}
