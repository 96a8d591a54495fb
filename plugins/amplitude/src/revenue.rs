//! Money: Amplitude computes revenue from fields of its own, and counts nothing that stands in properties.

use crate::config::Config;
use pintle_plugin_sdk::js;
use pintle_plugin_sdk::tree::{Look, is_blank};
use serde_json::{Map, Value};

/// Events whose revenue is a purchase unless they say otherwise.
const PURCHASES: [&str; 3] = ["order completed", "completed order", "product purchased"];
/// What the event of one product is called.
const PRODUCT_EVENT: &str = "Product Purchased";

/// The events that a track call becomes: itself, and for an order, which is what has both revenue and products, its
/// products as far as the configuration wants them.
///
/// - Without `trackProductsOnce`, the products leave the order's properties and become events.
/// - With `trackRevenuePerProduct`, the products carry the revenue and the order does not.
pub fn events(
    config: &Config,
    mut event: Map<String, Value>,
    name: &str,
    properties: Option<Value>,
) -> Vec<Map<String, Value>> {
    event.insert("event_type".to_owned(), name.into());
    let Some(Value::Object(mut properties)) = properties else { return vec![event] };
    let kind = kind(&properties, &name.trim().to_lowercase());
    let has_revenue = has(&properties, "revenue");
    let products = if has_revenue { products(&properties) } else { Vec::new() };
    let has_products = !products.is_empty();
    let by_product = config.revenue_per_product && has_products;
    let mut events = Vec::with_capacity(1);
    if by_product || !config.products_once {
        let each = (1..).zip(products);
        events.extend(each.map(|(place, product)| product_event(&event, place, product, by_product.then_some(&kind))));
    }
    if has_revenue && !by_product {
        lift(&mut event, &mut properties, &kind);
    }
    if has_products && !config.products_once {
        properties.remove("products");
    }
    event.insert("event_properties".to_owned(), properties.into());
    events.insert(0, event);
    events
}

/// Its kind of revenue: `revenueType`.
fn kind(properties: &Map<String, Value>, name: &str) -> Option<Value> {
    let own = ["revenueType", "revenue_type"].iter().find_map(|key| properties.get(*key));
    own.filter(|kind| js::truthy(Some(kind))).cloned().or_else(|| PURCHASES.contains(&name).then(|| "Purchased".into()))
}

/// Whether there is something, be it 0.
fn has(properties: &Map<String, Value>, name: &str) -> bool {
    properties.get(name).is_some_and(|value| !is_blank(value))
}

fn products(properties: &Map<String, Value>) -> Vec<&Map<String, Value>> {
    properties.list("products").iter().filter_map(Value::as_object).collect()
}

/// The event of one product; with a kind of revenue it counts as revenue.
fn product_event(
    order: &Map<String, Value>,
    place: usize,
    product: &Map<String, Value>,
    kind: Option<&Option<Value>>,
) -> Map<String, Value> {
    let mut event = order.clone();
    event.insert("event_type".to_owned(), PRODUCT_EVENT.into());
    if let Some(id) = event.get_mut("insert_id") {
        // Amplitude drops what repeats an id.
        *id = format!("{}-{place}", js::string(id)).into();
    }
    let mut properties = product.clone();
    if let Some(kind) = kind
        && (js::truthy(properties.get("price")) || has(&properties, "revenue"))
    {
        lift(&mut event, &mut properties, kind);
    }
    event.insert("event_properties".to_owned(), properties.into());
    event
}

/// Moves what is revenue from the properties to the fields that Amplitude computes with. Without a price the
/// revenue is the price of one.
fn lift(event: &mut Map<String, Value>, properties: &mut Map<String, Value>, kind: &Option<Value>) {
    let revenue = properties.remove("revenue").filter(|revenue| !is_blank(revenue));
    let price = properties.remove("price").filter(|price| js::truthy(Some(price)));
    let quantity = properties.remove("quantity").filter(|quantity| js::truthy(Some(quantity)));
    let quantity = if price.is_some() { quantity } else { None };
    let product = ["product_id", "productId"].iter().find_map(|key| properties.remove(*key));
    let fields = [
        ("price", price.or_else(|| revenue.clone())),
        ("quantity", quantity.or_else(|| Some(1.into()))),
        ("revenue", revenue),
        ("productId", product),
        ("revenueType", kind.clone()),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            event.insert(field.to_owned(), value);
        }
    }
}
