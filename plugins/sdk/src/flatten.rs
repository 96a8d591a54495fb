//! Nested objects as one level, for destinations that know no other.

use serde_json::{Map, Value};

/// Levels that are opened; what is deeper stays as it is.
pub const DEPTH_MAX: usize = 32;

/// What becomes of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// They stay as they are.
    Keep,
    /// Each item gets a name with its place: `a.0` with the separator `.`.
    Places,
    /// Each item gets a name with its place in brackets: `a[0]`.
    Brackets,
}

/// `{"a": {"b": 1}}` becomes `{"a.b": 1}` with the separator `.`. Objects and lists without anything in them stay.
#[must_use]
pub fn flatten(tree: &Map<String, Value>, separator: &str, lists: Lists) -> Map<String, Value> {
    let mut flat = Map::new();
    for (name, value) in tree {
        open(name.clone(), value, separator, lists, DEPTH_MAX, &mut flat);
    }
    flat
}

fn open(name: String, value: &Value, separator: &str, lists: Lists, depth: usize, flat: &mut Map<String, Value>) {
    match value {
        Value::Object(members) if depth > 0 && !members.is_empty() => {
            for (member, value) in members {
                open(format!("{name}{separator}{member}"), value, separator, lists, depth - 1, flat);
            }
        }
        Value::Array(items) if depth > 0 && !items.is_empty() && lists != Lists::Keep => {
            for (place, item) in items.iter().enumerate() {
                let name = if lists == Lists::Places {
                    format!("{name}{separator}{place}")
                } else {
                    format!("{name}[{place}]")
                };
                open(name, item, separator, lists, depth - 1, flat);
            }
        }
        _ => _ = flat.insert(name, value.clone()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_members_get_names_of_their_own() {
        let tree = json!({"a": {"b": 1, "c": {}}, "l": [{"x": 1}, 2], "n": null});
        let flat = |separator, lists| Value::Object(flatten(tree.as_object().unwrap(), separator, lists));
        assert_eq!(flat(".", Lists::Keep), json!({"a.b": 1, "a.c": {}, "l": [{"x": 1}, 2], "n": null}));
        assert_eq!(flat("_", Lists::Places), json!({"a_b": 1, "a_c": {}, "l_0_x": 1, "l_1": 2, "n": null}));
        assert_eq!(flat(".", Lists::Brackets), json!({"a.b": 1, "a.c": {}, "l[0].x": 1, "l[1]": 2, "n": null}));
    }
}
