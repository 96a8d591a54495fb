//! Products as Meta's contents:
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/custom-data#contents>.

use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// Where a product's id stands.
const IDS: [&str; 3] = ["product_id", "sku", "id"];

/// Products by their ids, and with their quantities and prices.
#[derive(Debug, Default)]
pub struct Contents<'a> {
    /// `content_ids`.
    pub ids: Vec<Node<'a>>,
    /// `contents`.
    pub contents: Vec<Node<'a>>,
}

/// The `products` of an event; none when it has none.
///
/// # Errors
/// When one of them is no object.
pub fn of_list<'a>(properties: &Node<'a>, is_order: bool) -> Result<Contents<'a>, String> {
    let mut found = Contents::default();
    for product in properties.get("products").map_or(&[][..], Node::items) {
        if !matches!(product, Node::Object(_)) {
            return Err("one of the products is no object".to_owned());
        }
        add(&mut found, product, properties, is_order);
    }
    Ok(found)
}

/// The product that an event's properties describe.
pub fn own<'a>(properties: &Node<'a>) -> Contents<'a> {
    let mut found = Contents::default();
    add(&mut found, properties, properties, false);
    found
}

/// A category in the place of products that nobody named.
pub fn of_category<'a>(category: Cow<'a, str>) -> Contents<'a> {
    let mut content = Entries::new();
    content.set("id", Node::from(category.clone()));
    content.set("quantity", Node::from(1_i64));
    Contents { ids: vec![category.into()], contents: vec![content.node()] }
}

/// What the product does not say itself is taken from the event.
fn add<'a>(found: &mut Contents<'a>, product: &Node<'a>, event: &Node<'a>, is_order: bool) {
    let of = |from: &Node<'a>, name: &str| from.get(name).filter(|value| value.truthy()).cloned();
    let said = |name: &str| of(product, name).or_else(|| of(event, name));
    let Some(id) = IDS.iter().find_map(|name| of(product, name)) else { return };
    let mut content = Entries::new();
    content.set("id", id.clone());
    content.set("quantity", said("quantity").unwrap_or_else(|| Node::from(1_i64)));
    content.set("item_price", said("price"));
    if is_order {
        content.set("delivery_category", said("delivery_category"));
    }
    found.ids.push(id);
    found.contents.push(content.node());
}
