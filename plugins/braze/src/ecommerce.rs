//! Braze's recommended e-commerce events: their names, and their properties from those of the event.
//!
//! A property that has a place in the schema goes there; what has none is kept in `metadata`.

use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::js;
use serde_json::{Map, Value};

/// The events that have a counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Viewed,
    Added,
    Removed,
    CheckoutStarted,
    OrderPlaced,
    OrderRefunded,
    OrderCancelled,
}

/// What a property is on the other side.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Number,
    Whole,
    Any,
}

/// A property of the schema, and where it is found: the first that is there.
type Slot = (&'static str, Type, &'static [&'static str]);

const PRODUCT: &[Slot] = &[
    ("product_id", Type::Text, &["product_id", "sku"]),
    ("product_name", Type::Text, &["product_name", "name"]),
    ("variant_id", Type::Text, &["variant_id", "variant"]),
    ("image_url", Type::Text, &["image_url"]),
    ("product_url", Type::Text, &["product_url", "url"]),
    ("price", Type::Number, &["price"]),
];
const QUANTITY: Slot = ("quantity", Type::Whole, &["quantity"]);
const CURRENCY: Slot = ("currency", Type::Text, &["currency"]);
const CART: Slot = ("cart_id", Type::Text, &["cart_id"]);
const ORDER: Slot = ("order_id", Type::Text, &["order_id"]);
const VIEWED: &[Slot] = &[CURRENCY, ("type", Type::Any, &["type"])];
const TOTALS: &[Slot] = &[
    CURRENCY,
    ("total_value", Type::Number, &["total_value", "total", "revenue", "value"]),
    ("subtotal_value", Type::Number, &["subtotal_value", "subtotal"]),
    ("tax", Type::Number, &["tax"]),
    ("shipping", Type::Number, &["shipping"]),
];
const DISCOUNTS: &[Slot] =
    &[("total_discounts", Type::Number, &["total_discounts", "discount"]), ("discounts", Type::Any, &["discounts"])];
const CHECKOUT: &[Slot] = &[("checkout_id", Type::Text, &["checkout_id", "order_id"]), CART];
const PLACED: &[Slot] = &[ORDER, CART];
const REFUNDED: &[Slot] = &[ORDER];
const CANCELLED: &[Slot] = &[ORDER, ("cancel_reason", Type::Text, &["cancel_reason", "reason"])];

/// Names that are treated by themselves.
const PRODUCTS: &str = "products";
const METADATA: &str = "metadata";
const SOURCE: &str = "source";

impl Kind {
    /// The kind of an event, by its name in whatever case.
    pub(crate) fn of(name: &str) -> Option<Kind> {
        const NAMES: [(&str, Kind); 7] = [
            ("Product Viewed", Kind::Viewed),
            ("Product Added", Kind::Added),
            ("Product Removed", Kind::Removed),
            ("Checkout Started", Kind::CheckoutStarted),
            ("Order Completed", Kind::OrderPlaced),
            ("Order Refunded", Kind::OrderRefunded),
            ("Order Cancelled", Kind::OrderCancelled),
        ];
        NAMES.iter().find(|(known, _)| name.trim().eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
    }

    /// The name that Braze has for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Viewed => "ecommerce.product_viewed",
            Kind::Added | Kind::Removed => "ecommerce.cart_updated",
            Kind::CheckoutStarted => "ecommerce.checkout_started",
            Kind::OrderPlaced => "ecommerce.order_placed",
            Kind::OrderRefunded => "ecommerce.order_refunded",
            Kind::OrderCancelled => "ecommerce.order_cancelled",
        }
    }

    /// Its properties. What Braze requires and the event does not have is left out: Braze says so itself.
    pub(crate) fn properties(self, fields: &Fields<'_>) -> Map<String, Value> {
        let given = match fields.value(&["properties"]) {
            Some(Value::Object(given)) => given,
            _ => Map::new(),
        };
        let source = given.get(SOURCE).and_then(Value::as_str).filter(|source| !source.is_empty());
        let source = source.map_or_else(|| source_of(fields), str::to_owned);
        let mut rest = given;
        rest.remove(SOURCE);
        let mut properties = Map::from_iter([(SOURCE.to_owned(), source.into())]);
        for slots in self.slots() {
            fill(&mut properties, &mut rest, slots);
        }
        match self {
            Kind::Viewed => {
                fill_product(&mut properties, &mut rest);
                keep(&mut properties, rest);
            }
            Kind::Added | Kind::Removed => {
                let action = if self == Kind::Added { "add" } else { "remove" };
                properties.insert("action".to_owned(), action.into());
                // The product stands in the event itself, unless it has a list.
                if rest.get(PRODUCTS).is_some_and(Value::is_array) {
                    list_products(&mut properties, &mut rest);
                    keep(&mut properties, rest);
                } else {
                    properties.insert(PRODUCTS.to_owned(), vec![product(rest)].into());
                }
            }
            _ => {
                list_products(&mut properties, &mut rest);
                keep(&mut properties, rest);
            }
        }
        properties
    }

    /// The properties of its schema, products and what is common to all aside.
    fn slots(self) -> &'static [&'static [Slot]] {
        match self {
            Kind::Viewed => &[VIEWED],
            Kind::Added | Kind::Removed => &[&[CART], TOTALS],
            Kind::CheckoutStarted => &[CHECKOUT, TOTALS],
            Kind::OrderPlaced => &[PLACED, TOTALS, DISCOUNTS],
            Kind::OrderRefunded => &[REFUNDED, TOTALS, DISCOUNTS],
            Kind::OrderCancelled => &[CANCELLED, TOTALS, DISCOUNTS],
        }
    }
}

/// Where the event comes from, when it does not say so itself.
fn source_of(fields: &Fields<'_>) -> String {
    let channel = fields.text(&["channel"]).unwrap_or_default();
    let system = fields.text(&["context.os.name"]).unwrap_or_default().to_lowercase();
    match channel.as_ref() {
        "mobile" if system == "android" => "android".to_owned(),
        "mobile" if matches!(system.as_str(), "ios" | "ipados" | "iphone os") => "ios".to_owned(),
        "" => "server".to_owned(),
        channel => channel.to_owned(),
    }
}

/// Moves what the slots name from the rest to the properties.
fn fill(properties: &mut Map<String, Value>, rest: &mut Map<String, Value>, slots: &[Slot]) {
    for (name, kind, sources) in slots {
        let found = sources.iter().find_map(|source| Some((*source, typed(rest.get(*source)?, *kind)?)));
        if let Some((source, value)) = found {
            rest.remove(source);
            properties.insert((*name).to_owned(), value);
        }
    }
}

/// A value as the schema wants it; nothing for a blank one.
fn typed(value: &Value, kind: Type) -> Option<Value> {
    let number = |value: &Value| match value {
        Value::String(text) if text.trim().is_empty() => None,
        value => js::number(value),
    };
    match (kind, value) {
        (_, Value::Null) => None,
        (Type::Any, value) => Some(value.clone()),
        (Type::Text, Value::String(text)) => (!text.is_empty()).then(|| value.clone()),
        (Type::Text, Value::Number(_)) => Some(js::string(value).into()),
        (Type::Text, _) => None,
        // What is no number is left for Braze to refuse.
        (Type::Number, value) => Some(number(value).map_or_else(|| value.clone(), js::json_number)),
        (Type::Whole, value) => Some(number(value).map_or_else(|| value.clone(), |n| js::json_number(n.trunc()))),
    }
}

/// The properties of a product. One without variants is its own.
fn fill_product(product: &mut Map<String, Value>, rest: &mut Map<String, Value>) {
    fill(product, rest, PRODUCT);
    if !product.contains_key("variant_id")
        && let Some(id) = product.get("product_id").cloned()
    {
        product.insert("variant_id".to_owned(), id);
    }
}

fn product(mut given: Map<String, Value>) -> Value {
    let mut product = Map::new();
    fill_product(&mut product, &mut given);
    fill(&mut product, &mut given, &[QUANTITY]);
    keep(&mut product, given);
    product.into()
}

fn list_products(properties: &mut Map<String, Value>, rest: &mut Map<String, Value>) {
    if let Some(Value::Array(products)) = rest.remove(PRODUCTS) {
        let objects = products.into_iter().filter_map(|given| match given {
            Value::Object(given) => Some(product(given)),
            _ => None,
        });
        properties.insert(PRODUCTS.to_owned(), objects.collect());
    }
}

/// What has no place in the schema.
fn keep(properties: &mut Map<String, Value>, mut rest: Map<String, Value>) {
    let own = rest.remove(METADATA);
    if let Some(Value::Object(own)) = own {
        rest.extend(own);
    }
    rest.retain(|_, value| !value.is_null());
    if !rest.is_empty() {
        properties.insert(METADATA.to_owned(), rest.into());
    }
}
