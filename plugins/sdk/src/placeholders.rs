//! Texts with places to fill, as in `Viewed {{ name }} Page`.

/// A text, taken apart once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Text and the name of the place behind it.
    pieces: Vec<(String, String)>,
    end: String,
}

impl Template {
    /// Takes a text apart. A `{{` without its `}}` is text like any other.
    #[must_use]
    pub fn of(text: &str) -> Template {
        let mut template = Template::default();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let Some((name, after)) = behind.split_once("}}") else { break };
            template.pieces.push((before.to_owned(), name.trim().to_owned()));
            rest = after;
        }
        rest.clone_into(&mut template.end);
        template
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.end.is_empty()
    }

    /// The text with each place filled; one without a value stays empty.
    pub fn fill(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let mut filled = String::new();
        for (text, name) in &self.pieces {
            filled.push_str(text);
            filled.push_str(&value(name).unwrap_or_default());
        }
        filled.push_str(&self.end);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_by_name() {
        let value = |name: &str| (name == "a.b").then(|| "1".to_owned());
        for (text, filled) in [
            ("x {{ a.b }}, {{a.b}} y", "x 1, 1 y"),
            ("{{ nothing }}|", "|"),
            ("no place", "no place"),
            ("open {{ a.b", "open {{ a.b"),
            ("", ""),
        ] {
            assert_eq!(Template::of(text).fill(value), filled);
        }
        assert!(Template::of("").is_empty() && !Template::of("{{a}}").is_empty());
    }
}
