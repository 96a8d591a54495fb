//! Products as Google's items:
//! <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference/events#purchase_item>.

use crate::parameters::place;
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::js;
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// Members of a product that are called otherwise.
const RENAMED: [(&str, &str); 6] = [
    ("product_id", "item_id"),
    ("name", "item_name"),
    ("category", "item_category"),
    ("brand", "item_brand"),
    ("variant", "item_variant"),
    ("position", "index"),
];

/// Members that Google wants as numbers, however they are written.
const NUMBERS: [&str; 4] = ["price", "quantity", "index", "discount"];

/// Properties of an event that describe its product when it has no list of them.
pub const OWN: [&str; 19] = [
    "product_id",
    "name",
    "coupon",
    "category",
    "brand",
    "variant",
    "price",
    "quantity",
    "position",
    "affiliation",
    "currency",
    "discount",
    "item_category2",
    "item_category3",
    "item_category4",
    "item_category5",
    "item_list_id",
    "item_list_name",
    "location_id",
];

/// Whether it can be one: an object that says what it is.
pub fn is_item(product: &Node<'_>) -> bool {
    const IDS: [&str; 4] = ["product_id", "name", "item_id", "item_name"];
    IDS.iter().any(|name| product.get(name).is_some_and(|value| !value.is_blank()))
}

/// One product as an item.
///
/// # Errors
/// When it has neither an id nor a name: Google takes no such item.
pub fn item<'a>(product: &Node<'a>) -> Result<Node<'a>, String> {
    if !is_item(product) {
        return Err("a product needs a product_id or a name".to_owned());
    }
    Ok(of(product.members().iter().map(|(name, value)| (name.clone(), value))))
}

/// The product that an event's own properties describe.
///
/// # Errors
/// When they have neither an id nor a name.
pub fn own<'a>(properties: &Node<'a>) -> Result<Node<'a>, String> {
    let says = |name| properties.get(name).is_some_and(|value| !value.is_blank());
    if !says("product_id") && !says("name") {
        return Err("without products it needs a product_id or a name".to_owned());
    }
    Ok(of(OWN.iter().filter_map(|name| Some((Cow::Borrowed(*name), properties.get(name)?)))))
}

fn of<'n, 'a: 'n>(members: impl Iterator<Item = (Cow<'a, str>, &'n Node<'a>)>) -> Node<'a> {
    let mut item = Entries::new();
    for (name, value) in members {
        let renamed = RENAMED.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| Cow::Borrowed(*ours));
        let name = renamed.unwrap_or(name);
        let value = value.clone();
        let value = if NUMBERS.contains(&&*name) { number(value) } else { value };
        place(&mut item, name, value);
    }
    item.node()
}

/// A text that spells a number as one; what does not stays as it is, and Google says what it thinks of it.
pub fn number(value: Node<'_>) -> Node<'_> {
    match &value {
        Node::Text(text) if !text.trim().is_empty() => js::number_of(text).map_or(value, Node::from),
        _ => value,
    }
}
