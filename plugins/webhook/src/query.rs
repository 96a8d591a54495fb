//! An object as query parameters: nested keys are joined with dots, list places stand in brackets.

use serde_json::value::RawValue;

use pintle_plugin_sdk::json::{Members, text};

/// Objects within objects; deeper ones are refused, as each level costs stack.
const DEPTH_MAX: usize = 64;

/// `{"a": {"b": 1}, "c": [true]}` becomes `a.b=1`, `c[0]=true`.
///
/// Numbers keep their spelling. `null`, `{}` and `[]` have no parameter.
pub fn parameters(object: &RawValue) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    flatten(object, String::new(), DEPTH_MAX, &mut found)?;
    Ok(found)
}

fn flatten(value: &RawValue, name: String, depth: usize, found: &mut Vec<(String, String)>) -> Result<(), String> {
    if depth == 0 {
        return Err(format!("cannot become query parameters: nested deeper than {DEPTH_MAX} levels"));
    }
    match value.get().as_bytes().first() {
        Some(b'{') => {
            let members =
                Members::of(value).and_then(|members| members.distinct()).ok_or_else(|| not_unicode(&name))?;
            for (key, value) in members {
                let name = if name.is_empty() { key.into_owned() } else { format!("{name}.{key}") };
                flatten(value, name, depth - 1, found)?;
            }
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| not_unicode(&name))?;
            for (index, item) in items.into_iter().enumerate() {
                flatten(item, format!("{name}[{index}]"), depth - 1, found)?;
            }
        }
        Some(b'"') => {
            let text = text(value).ok_or_else(|| not_unicode(&name))?.into_owned();
            found.push((name, text));
        }
        Some(b'n') => {}
        _ => found.push((name, value.get().to_owned())),
    }
    Ok(())
}

fn not_unicode(name: &str) -> String {
    format!("cannot become query parameters: {name:?} holds text that is not Unicode")
}
