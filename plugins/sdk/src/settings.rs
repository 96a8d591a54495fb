//! Reading a configuration, noting everything that is wrong with it.
//!
//! Imported workspaces carry switches as texts, lists with empty rows, and keys that are not ours: those are
//! taken as what they mean, or ignored. A message never holds a value: it may be a secret.

use crate::Mistakes;
use serde_json::Value;

/// A configuration that is being read.
#[derive(Debug)]
pub struct Settings<'a> {
    config: &'a Value,
    mistakes: Mistakes,
}

impl<'a> Settings<'a> {
    /// Begins to read.
    #[must_use]
    pub fn of(config: &'a Value) -> Settings<'a> {
        let mut mistakes = Mistakes::default();
        if !config.is_object() {
            mistakes.add("", "the configuration must be a JSON object");
        }
        Settings { config, mistakes }
    }

    /// The value of a key; `null` counts as absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.config.get(key).filter(|value| !value.is_null())
    }

    /// A text without white space around it; empty when absent. A number is its own text.
    pub fn text(&mut self, key: &str) -> String {
        match self.get(key) {
            None => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => {
                self.wrong(key, "must be a text");
                String::new()
            }
        }
    }

    /// A text that has to be there; `what` says what it is, as in `the API key of the project`.
    pub fn required(&mut self, key: &str, what: &str) -> String {
        let before = self.mistakes.0.len();
        let text = self.text(key);
        if text.is_empty() && self.mistakes.0.len() == before {
            self.wrong(key, &format!("is required: {what}"));
        }
        text
    }

    /// A switch.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
            Some(Value::String(text)) if text.is_empty() || text.eq_ignore_ascii_case("false") => false,
            Some(_) => {
                self.wrong(key, "must be true or false");
                default
            }
        }
    }

    /// One of some names, in whatever case; the default when absent or empty.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)], default: T) -> T {
        let name = self.text(key);
        if name.is_empty() {
            return default;
        }
        let found = choices.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, choice)| *choice);
        found.unwrap_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(key, &format!("must be one of {}", names.join(", ")));
            default
        })
    }

    /// A list of `{"<member>": text}`, as forms write lists; rows without a text are left out, and plain texts
    /// are taken as well.
    pub fn list(&mut self, key: &str, member: &str) -> Vec<String> {
        let rows = self.rows(key);
        let texts = rows.iter().filter_map(|row| row.as_str().or_else(|| row.get(member)?.as_str()));
        texts.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    /// A list of `{"<from>": text, "<to>": text}`; rows of which either is missing are left out.
    pub fn pairs(&mut self, key: &str, from: &str, to: &str) -> Vec<(String, String)> {
        let rows = self.rows(key);
        let pair = |row: &Value| {
            let text = |name| Some(row.get(name)?.as_str()?.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
            Some((text(from)?, text(to)?))
        };
        rows.iter().filter_map(pair).collect()
    }

    /// The rows of a list; none when absent.
    pub fn rows(&mut self, key: &str) -> &'a [Value] {
        match self.get(key) {
            None => &[],
            Some(Value::Array(rows)) => rows,
            // An empty form field.
            Some(Value::String(text)) if text.is_empty() => &[],
            Some(_) => {
                self.wrong(key, "must be a list");
                &[]
            }
        }
    }

    /// Notes a mistake at a key.
    pub fn wrong(&mut self, key: &str, message: &str) {
        self.mistakes.add(format!("/{key}"), message);
    }

    /// The configuration when nothing was wrong.
    ///
    /// # Errors
    /// Everything that was.
    pub fn end<T>(self, read: T) -> Result<T, Mistakes> {
        self.mistakes.or(read)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_forms_and_imports_write_is_read() {
        let config = json!({
            "key": " k ", "on": "true", "off": "", "where": "eu",
            "traits": [{"trait": " a "}, {"trait": ""}, {}, "b"],
            "map": [{"from": "x", "to": "y"}, {"from": "x", "to": ""}],
        });
        let mut settings = Settings::of(&config);
        assert_eq!(settings.required("key", "the key"), "k");
        assert!(settings.flag("on", false) && !settings.flag("off", true) && settings.flag("absent", true));
        assert_eq!(settings.choice("where", &[("US", 1), ("EU", 2)], 1), 2);
        assert_eq!(settings.list("traits", "trait"), ["a", "b"]);
        assert_eq!(settings.pairs("map", "from", "to"), [("x".to_owned(), "y".to_owned())]);
        settings.end(()).unwrap();
    }

    #[test]
    fn everything_that_is_wrong_is_told_without_values() {
        let config = json!({"key": ["s3cret"], "on": 3, "where": "mars", "traits": "s3cret"});
        let mut settings = Settings::of(&config);
        settings.required("key", "the key");
        settings.required("other", "another one");
        settings.flag("on", false);
        settings.choice("where", &[("US", 1), ("EU", 2)], 1);
        settings.list("traits", "trait");
        let Mistakes(mistakes) = settings.end(()).unwrap_err();
        let paths: Vec<&str> = mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
        assert_eq!(paths, ["/key", "/other", "/on", "/where", "/traits"]);
        assert_eq!(mistakes[1].message, "is required: another one");
        assert!(!format!("{mistakes:?}").contains("s3cret"));
    }
}
