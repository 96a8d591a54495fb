//! A destination's delivery settings, as they are said in words of the command line.

use crate::failure::{Exit, Failure};
use serde_json::Value;

/// What the API is to be told, by its place in a destination. What is not given stays as it is, null takes away.
pub(super) fn given(words: &[String]) -> Result<Vec<(String, Option<Value>)>, Failure> {
    if let [one] = words
        && one == "none"
    {
        return Ok(vec![("delivery".to_owned(), Some(Value::Null))]);
    }
    words.iter().map(|word| setting(word)).collect()
}

/// `attempts-max=20`, or `attempts-max=none`. Which settings there are is for the server to say.
fn setting(word: &str) -> Result<(String, Option<Value>), Failure> {
    let wrong = || {
        let text = format!("--delivery {word} is not NAME=NUMBER, e.g. attempts-max=20, or NAME=none, or `none`");
        Failure::new(Exit::Usage, text)
    };
    let (name, value) = word.split_once('=').ok_or_else(wrong)?;
    let name = name.trim();
    if name.is_empty() || name.contains('.') {
        return Err(wrong());
    }
    let value = match value.trim() {
        "none" => Value::Null,
        number => Value::Number(number.parse().map_err(|_| wrong())?),
    };
    Ok((format!("delivery.{}", name.replace('-', "_")), Some(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn what_is_given_is_written_as_the_api_takes_it() {
        let given = given(&words(&["attempts-max=20", "attempt-timeout = 2.5", "retry-base=none"])).unwrap();
        let expected = [
            ("delivery.attempts_max", json!(20)),
            ("delivery.attempt_timeout", json!(2.5)),
            ("delivery.retry_base", Value::Null),
        ];
        assert_eq!(given, expected.map(|(name, value)| (name.to_owned(), Some(value))));
    }

    #[test]
    fn nothing_stays_as_it_is_and_a_word_takes_all_of_it_away() {
        assert_eq!(given(&[]).unwrap(), []);
        assert_eq!(given(&words(&["none"])).unwrap(), [("delivery".to_owned(), Some(Value::Null))]);
    }

    #[test]
    fn another_form_is_refused_with_an_example() {
        for wrong in ["attempts-max", "attempts-max=many", "=3", "a.b=3", "attempts-max="] {
            let failure = given(&words(&[wrong])).unwrap_err();
            assert!(failure.error.to_string().contains("attempts-max=20"), "{wrong}");
        }
    }
}
