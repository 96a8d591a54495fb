//! What an event was about: its properties, and what Meta expects of its standard events:
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/custom-data>.

use crate::config::Config;
use crate::contents::{self, Contents};
use crate::privacy;
use crate::standard_events::Content;
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::flatten::Lists;
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// What Meta assumes when a worth has no currency; it refuses a purchase without one.
const CURRENCY: &str = "USD";

/// Properties that are members of the event itself.
const ELSEWHERE: [&str; 3] = ["opt_out", "event_id", "action_source"];

/// Properties that stay lists.
const LISTS: [&str; 2] = ["content_ids", "contents"];

/// Options that an event carries for this destination.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Whether what is personal in it has been hashed before.
    pub hashed: bool,
    /// `contentType`.
    pub content_type: Option<Cow<'a, str>>,
}

/// The data of an event.
///
/// # Errors
/// When a property is of a kind that Meta cannot take.
pub fn of<'a>(
    config: &Config,
    content: Content,
    properties: &'a Node<'_>,
    options: Options<'a>,
) -> Result<Node<'a>, String> {
    let hashed = options.hashed;
    let mut data = match content {
        Content::Custom => custom(properties)?,
        _ => standard(config, content, properties, options)?,
    };
    let mut more = Entries::new();
    for (name, value) in properties.members() {
        let name: &'a str = name;
        let revenue = content == Content::Custom && name == "revenue";
        if *value == Node::Null || revenue || ELSEWHERE.contains(&name) || data.get(name).is_some() {
            continue;
        }
        let Some(value) = privacy::guarded(config, name, value.clone(), hashed) else { continue };
        match value {
            Node::Object(_) | Node::List(_) if !LISTS.contains(&name) => more.flat(name, value, ".", Lists::Brackets),
            value => more.set(name, value),
        }
    }
    if let Node::Object(more) = more.node() {
        for (name, value) in more {
            data.set(name, value);
        }
    }
    Ok(data.node())
}

/// An event of one's own: its revenue is its worth.
fn custom<'a>(properties: &Node<'a>) -> Result<Entries<'a>, String> {
    let mut data = Entries::new();
    if let Some(revenue) = properties.get("revenue").filter(|revenue| !revenue.is_blank()) {
        data.set("value", worth(Some(revenue))?);
    }
    Ok(data)
}

fn standard<'a>(
    config: &Config,
    content: Content,
    properties: &'a Node<'_>,
    options: Options<'a>,
) -> Result<Entries<'a>, String> {
    let category = category(properties)?;
    let listed = contents::of_list(properties, content == Content::Order)?;
    let has_list = properties.get("products").is_some_and(|products| !products.items().is_empty());
    let own = contents::own(properties);
    let (found, kind) = match content {
        Content::List if has_list => (listed, "product"),
        Content::List => (category.clone().map(contents::of_category).unwrap_or_default(), "product_group"),
        Content::Product if own.ids.is_empty() => (listed, "product"),
        Content::Product | Content::Search => (own, "product"),
        Content::Order | Content::Checkout | Content::Custom => (listed, "product"),
    };
    let from = match content {
        Content::Order | Content::Checkout => "revenue",
        Content::Product if !config.worth_is_value => "price",
        _ => "value",
    };
    let mut data = Entries::new();
    data.set("value", worth(properties.get(from))?);
    data.set("currency", Node::from(properties.text(&["currency"]).unwrap_or(Cow::Borrowed(CURRENCY))));
    match content {
        Content::Search => data.set("search_string", search(properties)?),
        _ => data.set("content_type", content_type(config, category.as_deref(), properties, options, kind)),
    }
    if matches!(content, Content::Order | Content::Checkout) {
        data.set("num_items", i64::try_from(found.ids.len()).ok().map(Node::from));
    }
    data.set("content_name", content_name(content, properties));
    data.set("content_category", category.map(Node::from));
    let Contents { ids, contents } = found;
    data.set("content_ids", Node::List(ids));
    data.set("contents", Node::List(contents));
    Ok(data)
}

/// A worth as Meta wants it: a number with two places at most.
fn worth(value: Option<&Node<'_>>) -> Result<Node<'static>, String> {
    let Some(value) = value.filter(|value| !value.is_blank()) else { return Ok(Node::from(0_i64)) };
    let number = value.number().ok_or("what the event is worth (revenue, value or price) is no number")?;
    Ok(Node::from((number * 100.0).round() / 100.0))
}

/// Meta takes a text; several categories become one.
fn category<'a>(properties: &'a Node<'_>) -> Result<Option<Cow<'a, str>>, String> {
    Ok(match properties.at("category") {
        None => None,
        Some(Node::Object(_)) => return Err("category must be a text, or a list of texts".to_owned()),
        Some(Node::List(several)) => {
            let texts: Vec<Cow<'_, str>> = several.iter().filter_map(Node::scalar).collect();
            Some(texts.join(",").into())
        }
        Some(one) => one.scalar(),
    })
}

fn search<'a>(properties: &Node<'a>) -> Result<Option<Node<'a>>, String> {
    match properties.at("query") {
        Some(Node::Text(_)) | None => Ok(properties.at("query").cloned()),
        Some(_) => Err("query must be a text".to_owned()),
    }
}

fn content_type<'a>(
    config: &Config,
    category: Option<&str>,
    properties: &Node<'a>,
    options: Options<'a>,
    otherwise: &'static str,
) -> Node<'a> {
    let own = properties.get("content_type").filter(|kind| !kind.is_blank()).cloned();
    let of_category = || Some(config.content_types.get(category?)?.clone().into());
    own.or_else(|| options.content_type.map(Node::from)).or_else(of_category).unwrap_or_else(|| otherwise.into())
}

fn content_name<'a>(content: Content, properties: &'a Node<'_>) -> Option<Node<'a>> {
    let first = |names: &[&str]| properties.text(names).map(Node::from);
    match content {
        Content::Product => Some(first(&["product_name", "name"]).unwrap_or_else(|| "".into())),
        Content::List | Content::Order => first(&["contentName", "content_name"]),
        Content::Checkout | Content::Search | Content::Custom => None,
    }
}
