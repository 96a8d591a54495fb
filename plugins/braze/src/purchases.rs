//! An order that is completed: a purchase for each of its products.

use crate::config::Config;
use crate::identity::{Who, app_id};
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::js;
use pintle_plugin_sdk::tree::Look;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What a purchase says of itself, and its properties cannot say again.
const RESERVED: [&str; 7] = ["product_id", "sku", "price", "currency", "quantity", "time", "event_name"];

/// A purchase.
#[derive(Serialize)]
pub(crate) struct Purchase<'a> {
    product_id: String,
    price: Value,
    currency: String,
    quantity: Value,
    time: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<Cow<'a, str>>,
    #[serde(flatten)]
    who: Who<'a>,
}

/// The purchases of an order.
///
/// # Errors
/// When there is no product, or one lacks what a purchase needs.
pub(crate) fn of<'a>(
    config: &Config,
    fields: &Fields<'a>,
    who: &Who<'a>,
    time: &Cow<'a, str>,
) -> Result<Vec<Purchase<'a>>, String> {
    let products = fields.value(&["properties.products"]).unwrap_or_default();
    let products = products.as_array().ok_or("`Order Completed` needs the list `products` among its properties")?;
    let currency = fields.text(&["properties.currency"]);
    let app_id = app_id(fields);
    let mut purchases = Vec::with_capacity(products.len());
    let known = products.iter().filter_map(Value::as_object);
    for (place, product) in known.enumerate() {
        let missing = |what: &str| format!("product {place} of `Order Completed` has no {what}");
        let currency = product.text(&["currency"]).or_else(|| currency.as_deref().map(str::to_owned));
        purchases.push(Purchase {
            product_id: product.text(&["product_id", "sku"]).ok_or_else(|| missing("product_id"))?,
            price: product.number(&["price"]).map(js::json_number).ok_or_else(|| missing("price"))?,
            currency: currency.ok_or_else(|| missing("currency, nor has the order"))?,
            quantity: product.number(&["quantity"]).map(whole).ok_or_else(|| missing("quantity"))?,
            time: time.clone(),
            properties: config.purchase_properties.then(|| more(product)).flatten(),
            app_id: app_id.clone(),
            who: who.clone(),
        });
    }
    if purchases.is_empty() {
        return Err("`Order Completed` has no products".to_owned());
    }
    Ok(purchases)
}

/// Braze counts in whole numbers.
fn whole(quantity: f64) -> Value {
    js::json_number(quantity.trunc())
}

/// What else is known of a product.
fn more(product: &Map<String, Value>) -> Option<Map<String, Value>> {
    let more = product.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    let more: Map<String, Value> = more.map(|(name, value)| (name.clone(), value.clone())).collect();
    (!more.is_empty()).then_some(more)
}
