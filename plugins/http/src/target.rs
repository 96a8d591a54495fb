//! Where to put what was taken: a path in the document that is made.

use crate::expression::{Expression, Match};
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// Places of a list that a target may name; beyond, one event could make a document of any size.
const PLACES_MAX: usize = 1000;

/// A path in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Place(usize),
    /// `[*]`: the item at the place where the value was found.
    Each,
}

/// A field of the document: what to take, and where to put it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What to take.
    pub from: Expression,
    /// Where to put it.
    pub to: Target,
}

impl Target {
    /// Reads a target: `$.user.id`, `$.items[*].sku`, `$['favorite color']`; without a `$` as if it were there.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Target, String> {
        let text = text.trim();
        let with_root = if text.starts_with('$') { text.to_owned() } else { format!("$.{text}") };
        let steps = Expression::path_of(&with_root)?;
        steps.into_iter().map(Step::of).collect::<Result<_, _>>().map(Target)
    }

    /// The target's one name, as of a header or a query parameter. What has no `$` is the name itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn name(text: &str) -> Result<String, String> {
        let text = text.trim();
        if !text.starts_with('$') {
            return Ok(text.to_owned());
        }
        match Target::parse(text)?.0.as_slice() {
            [Step::Name(name)] => Ok(name.clone()),
            _ => Err("must be one name, as in $.name".to_owned()),
        }
    }
}

impl Step {
    fn of(step: crate::expression::Key) -> Result<Step, String> {
        use crate::expression::Key;
        match step {
            Key::Name(name) => Ok(Step::Name(name)),
            Key::Place(place) if place < PLACES_MAX => Ok(Step::Place(place)),
            Key::Place(_) => Err(format!("names a place beyond {PLACES_MAX}")),
            Key::All => Ok(Step::Each),
        }
    }
}

/// The document that fields make of an event.
#[must_use]
pub fn document<'n>(fields: &'n [Field], event: &'n Node<'n>) -> Node<'n> {
    let mut document = Node::Object(Vec::new());
    // What goes into each item of a list waits until the list is there.
    let mut for_all = Vec::new();
    for field in fields {
        let to = field.to.0.as_slice();
        let each = to.iter().filter(|step| **step == Step::Each).count();
        match field.from.matches(event) {
            Some(found) if each > 0 => spread(&mut document, to, each, &found),
            _ => {
                let Some(value) = field.from.value(event) else { continue };
                if each > 0 {
                    for_all.push((to, value.into_owned()));
                } else {
                    put(&mut document, to, &[], value.into_owned());
                }
            }
        }
    }
    for (to, value) in for_all {
        put(&mut document, to, &[], value);
    }
    document
}

/// Puts values where their places say; several for the same place become a list.
fn spread<'n>(document: &mut Node<'n>, to: &'n [Step], each: usize, found: &[Match<'n, 'n>]) {
    let same_place = |left: &Match<'_, '_>, right: &Match<'_, '_>| {
        let places = |found: &Match<'_, '_>| found.places[..each.min(found.places.len())].to_vec();
        places(left) == places(right)
    };
    for group in found.chunk_by(same_place) {
        let is_several = group[0].places.len() > each;
        let mut values = group.iter().map(|found| found.value).filter(|value| **value != Node::Null);
        let value = if is_several { Some(Node::List(values.cloned().collect())) } else { values.next_back().cloned() };
        if let Some(value) = value {
            put(document, to, &group[0].places, value);
        }
    }
}

/// Puts a value at a path; what is no object or list on the way is replaced.
fn put<'n>(tree: &mut Node<'n>, to: &'n [Step], places: &[usize], value: Node<'n>) {
    let Some((step, rest)) = to.split_first() else {
        match (tree, value) {
            (Node::Object(members), Node::Object(more)) => members.extend(more),
            (tree, value) => *tree = value,
        }
        return;
    };
    match step {
        Step::Name(name) => {
            if !matches!(tree, Node::Object(_)) {
                *tree = Node::Object(Vec::new());
            }
            let Node::Object(members) = tree else { return };
            let known = members.iter().position(|(known, _)| known == name);
            let place = known.unwrap_or_else(|| {
                members.push((Cow::Borrowed(name), Node::Null));
                members.len() - 1
            });
            put(&mut members[place].1, rest, places, value);
        }
        Step::Place(place) => put(item(tree, *place, rest), rest, places, value),
        Step::Each => match places.split_first() {
            Some((place, places)) => put(item(tree, *place, rest), rest, places, value),
            None => {
                item(tree, 0, rest);
                if let Node::List(items) = tree {
                    items.iter_mut().for_each(|item| put(item, rest, &[], value.clone()));
                }
            }
        },
    }
}

/// The item of a list, which is made as long as needed.
fn item<'t, 'n>(tree: &'t mut Node<'n>, place: usize, rest: &[Step]) -> &'t mut Node<'n> {
    if !matches!(tree, Node::List(_)) {
        *tree = Node::List(Vec::new());
    }
    let gap = || if rest.is_empty() { Node::Null } else { Node::Object(Vec::new()) };
    match tree {
        Node::List(items) => {
            while items.len() <= place {
                items.push(gap());
            }
            &mut items[place]
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_plugin_sdk::serde_json;

    fn made(fields: &[(&str, &str)]) -> String {
        let event: Node<'_> = serde_json::from_str(
            r#"{"id":7,"off":null,"a":{"b":"x"},"list":[{"n":"p","v":[{"s":1},{"s":2}]},{"v":[{"s":3}]},{"n":"q","v":[]}]}"#,
        )
        .unwrap();
        let field = |(from, to): &(&str, &str)| Field {
            from: Expression::parse(from).unwrap(),
            to: Target::parse(to).unwrap(),
        };
        let fields: Vec<Field> = fields.iter().map(field).collect();
        document(&fields, &event).json()
    }

    #[test]
    fn values_are_put_where_their_targets_say() {
        for (fields, expected) in [
            (
                &[("$.id", "$.user.id"), ("$.a", "user.all"), ("$.off", "$.off"), ("$.none", "$.none")][..],
                r#"{"user":{"id":7,"all":{"b":"x"}}}"#,
            ),
            (&[("'c'", "$['my key']"), ("2", "$.n"), ("$.a", "$")], r#"{"my key":"c","n":2,"b":"x"}"#),
            (&[("$.id", "$.l[1].id"), ("$.id", "$.m[1]")], r#"{"l":[{},{"id":7}],"m":[null,7]}"#),
            (&[("$.list[*].n", "$.names")], r#"{"names":["p","q"]}"#),
            (
                &[("$.list[*].n", "$.i[*].name"), ("$.id", "$.i[*].of")],
                r#"{"i":[{"name":"p","of":7},{"of":7},{"name":"q","of":7}]}"#,
            ),
            (
                &[("$.id", "$.i[*].of"), ("$.list[*].n", "$.i[*].name")],
                r#"{"i":[{"name":"p","of":7},{"of":7},{"name":"q","of":7}]}"#,
            ),
            (
                &[("$.list[*].v[*].s", "$.i[*].o[*].size")],
                r#"{"i":[{"o":[{"size":1},{"size":2}]},{"o":[{"size":3}]}]}"#,
            ),
            (&[("$.list[*].v[*].s", "$.i[*].sizes")], r#"{"i":[{"sizes":[1,2]},{"sizes":[3]}]}"#),
            (&[("$..s", "$.all[*].s")], r#"{"all":[{"s":1},{"s":2},{"s":3}]}"#),
            (&[("$.id", "$.i[*].id"), ("$.nothing[*].id", "$.j[*].id")], r#"{"i":[{"id":7}]}"#),
            (&[("$.id", "$.x"), ("$.a.b", "$.x.y")], r#"{"x":{"y":"x"}}"#),
        ] {
            assert_eq!(made(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn targets_are_paths_of_names_and_places() {
        assert_eq!(Target::name("$.'content-type'").unwrap(), "content-type");
        assert_eq!(Target::name(" X-Team ").unwrap(), "X-Team");
        for wrong in ["$.a.b", "$", "$.a[0]", "$['"] {
            assert!(Target::name(wrong).is_err(), "{wrong}");
        }
        for wrong in ["$.a[-1]", "$.a[5000]", "$..a", "$.a[?(@.b)]", "$.a || $.b"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
