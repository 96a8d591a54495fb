//! The parameters of an event: what its rule asks for, and every other property under its own name.

use crate::items;
use crate::names;
use crate::rules::{Items, Rule, Worth};
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::flatten::Lists;
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// What Google assumes when a worth has no currency; without one it ignores the worth.
const CURRENCY: &str = "USD";

/// Where a worth comes from when it is not the product's price.
const TOTALS: [&str; 3] = ["total", "value", "revenue"];

/// Properties that become something else than a parameter, whatever the event is.
const ELSEWHERE: [&str; 7] = [
    "engagementTimeMsec",
    "engagement_time_msec",
    "sessionId",
    "session_id",
    "sessionNumber",
    "session_number",
    "user_properties",
];

/// The parameters that an event's properties give by its rule.
///
/// # Errors
/// What is missing.
pub fn of<'a>(rule: &'static Rule, properties: Node<'a>) -> Result<Entries<'a>, String> {
    let mut parameters = Entries::new();
    let mut used: Vec<&str> = Vec::new();
    for (parameter, sources) in rule.renamed {
        used.extend(*sources);
        if let Some(value) = sources.iter().find_map(|source| filled(&properties, source)) {
            place(&mut parameters, (*parameter).into(), value.clone());
        }
    }
    if rule.worth != Worth::None {
        worth(rule.worth, &properties, &mut parameters, &mut used)?;
        for name in ["shipping", "tax"] {
            parameters.set(name, filled(&properties, name).cloned().map(items::number));
        }
    }
    items(rule, &properties, &mut parameters, &mut used)?;
    let Node::Object(properties) = properties else { return complete(rule, parameters) };
    for (name, value) in properties {
        if !used.contains(&&*name) && parameters.get(&name).is_none() {
            custom(&mut parameters, name, value);
        }
    }
    complete(rule, parameters)
}

fn complete<'a>(rule: &Rule, parameters: Entries<'a>) -> Result<Entries<'a>, String> {
    match rule.required.iter().find(|name| parameters.get(name).is_none_or(Node::is_blank)) {
        Some(missing) => Err(format!("{} needs {missing}", rule.name)),
        None => Ok(parameters),
    }
}

/// Adds a property under its own name, unless it has a place elsewhere or a reserved name.
pub fn custom<'a>(parameters: &mut Entries<'a>, name: Cow<'a, str>, value: Node<'a>) {
    if !name.is_empty() && !ELSEWHERE.contains(&&*name) && !names::is_reserved(&name) {
        place(parameters, name, value);
    }
}

/// Google knows no nested parameters: `{"a": {"b": 1}, "c": [2]}` becomes `a_b` and `c_0`.
pub fn place<'a>(parameters: &mut Entries<'a>, name: Cow<'a, str>, value: Node<'a>) {
    if !matches!(value, Node::Object(_) | Node::List(_)) {
        return parameters.set(name, value);
    }
    let mut opened = Entries::new();
    opened.flat(name, value, "_", Lists::Places);
    if let Node::Object(opened) = opened.node() {
        for (name, value) in opened.into_iter().filter(|(_, value)| matches!(value, Node::Text(_)) || !value.is_blank())
        {
            parameters.set(name, value);
        }
    }
}

fn filled<'n, 'a>(properties: &'n Node<'a>, name: &str) -> Option<&'n Node<'a>> {
    properties.get(name).filter(|value| !value.is_blank())
}

fn worth<'a>(
    worth: Worth,
    properties: &Node<'a>,
    parameters: &mut Entries<'a>,
    used: &mut Vec<&str>,
) -> Result<(), String> {
    used.extend(TOTALS);
    used.push("currency");
    let of = |name: &str| filled(properties, name).and_then(Node::number);
    let rest = || of("value").or_else(|| of("revenue"));
    let found = match worth {
        Worth::TotalOrPrice if of("total").is_none() && of("price").is_some() => {
            used.push("price");
            of("price")
        }
        _ => of("total").or_else(rest),
    };
    let product = || Some(of("price")? * of("quantity").unwrap_or(1.0));
    let found = found.or_else(|| if worth == Worth::TotalOrProduct { product() } else { None });
    let found = found.ok_or("there is no number in total, value, revenue or price, one of which it needs")?;
    parameters.set("value", Node::from(found));
    parameters.set("currency", filled(properties, "currency").cloned().unwrap_or_else(|| CURRENCY.into()));
    Ok(())
}

fn items<'a>(
    rule: &Rule,
    properties: &Node<'a>,
    parameters: &mut Entries<'a>,
    used: &mut Vec<&str>,
) -> Result<(), String> {
    let listed = ["products", "items"].into_iter().find_map(|name| {
        let list = properties.get(name)?.items();
        (!list.is_empty()).then_some((name, list))
    });
    let found = match (rule.items, listed) {
        // Something of another kind that happens to be called so.
        (Items::Optional, Some((_, list))) if rule.name.is_empty() && !list.iter().all(items::is_item) => return Ok(()),
        (_, Some((name, list))) => {
            used.push(name);
            list.iter().map(items::item).collect::<Result<Vec<Node<'a>>, String>>()?
        }
        (Items::Optional, None) => return Ok(()),
        (Items::Required, None) => return Err(format!("{} needs products", rule.name)),
        (Items::Own, None) => {
            used.extend(items::OWN);
            vec![items::own(properties)?]
        }
    };
    parameters.set("items", Node::List(found));
    Ok(())
}
