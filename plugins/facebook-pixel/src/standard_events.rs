//! Meta's standard events, and which events become one:
//! <https://developers.facebook.com/docs/meta-pixel/reference>.

use crate::config::Config;

/// What an event is sent as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standard {
    /// Its name.
    pub name: String,
    /// What its data is made of.
    pub content: Content,
}

/// What the data of an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A list of products that was seen.
    List,
    /// One product.
    Product,
    /// An order that was placed.
    Order,
    /// An order that is being placed.
    Checkout,
    /// A search for products.
    Search,
    /// Anything else.
    Custom,
}

/// Events of the e-commerce specification of RudderStack and Segment.
const KNOWN: [(&str, &str, Content); 6] = [
    ("product list viewed", "ViewContent", Content::List),
    ("product viewed", "ViewContent", Content::Product),
    ("product added", "AddToCart", Content::Product),
    ("order completed", "Purchase", Content::Order),
    ("products searched", "Search", Content::Search),
    ("checkout started", "InitiateCheckout", Content::Checkout),
];

impl Standard {
    /// An event that is called so, by Meta or by its own name.
    #[must_use]
    pub fn named(name: &str) -> Standard {
        let content = match name {
            "ViewContent" => Content::List,
            "AddToCart" => Content::Product,
            "Purchase" => Content::Order,
            "Search" => Content::Search,
            "InitiateCheckout" => Content::Checkout,
            _ => Content::Custom,
        };
        Standard { name: name.to_owned(), content }
    }
}

/// What a tracked event is sent as: by the configuration, by what it is called, or as itself.
pub fn of(config: &Config, event: &str) -> Standard {
    let key = event.trim().to_lowercase();
    if let Some(standard) = config.renamed.get(&key) {
        return standard.clone();
    }
    match KNOWN.iter().find(|(known, ..)| *known == key) {
        Some((_, name, content)) => Standard { name: (*name).to_owned(), content: *content },
        None => Standard::named(event.trim()),
    }
}
