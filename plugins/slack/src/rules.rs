//! Which settings fit an event's name: by the same name, or by a regular expression.

use regress::Regex;

/// What an event's name is compared with.
#[derive(Clone, Debug)]
enum Names {
    This(String),
    Like(Regex),
}

/// Settings by event name, in the order in which the user gave them.
#[derive(Clone, Debug)]
pub struct Rules<T>(Vec<(Names, T)>);

impl<T> Default for Rules<T> {
    fn default() -> Self {
        Rules(Vec::new())
    }
}

impl<T> Rules<T> {
    /// Adds a rule. A pattern is written as in JavaScript and fits anywhere in a name.
    ///
    /// # Errors
    /// Why the pattern is no regular expression.
    pub fn add(&mut self, name: &str, is_pattern: bool, settings: T) -> Result<(), String> {
        let names = match is_pattern {
            false => Names::This(name.to_owned()),
            true => Names::Like(Regex::new(name).map_err(|error| error.to_string())?),
        };
        self.0.push((names, settings));
        Ok(())
    }

    /// The settings of the first rule that fits.
    #[must_use]
    pub fn first(&self, event: &str) -> Option<&T> {
        let fits = |names: &Names| match names {
            Names::This(name) => name == event,
            Names::Like(pattern) => pattern.find(event).is_some(),
        };
        self.0.iter().find(|(names, _)| fits(names)).map(|(_, settings)| settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let mut rules = Rules::default();
        rules.add("Signed Up", false, 1).unwrap();
        rules.add("^Order (?!Cancelled)", true, 2).unwrap();
        rules.add("Order", true, 3).unwrap();
        let found = ["Signed Up", "signed up", "Order Placed", "Order Cancelled"].map(|event| rules.first(event));
        assert_eq!(found, [Some(&1), None, Some(&2), Some(&3)]);
        assert!(rules.add("(", true, 4).is_err());
    }
}
