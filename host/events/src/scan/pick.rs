//! Single members of an event that was accepted before, as text: for readers who need a few fields of it and
//! nothing of the rest. Nothing is built, and of a name that repeats the last one counts, as everywhere.

use super::json::Cursor;
use super::{Invalid, id, plain};
use std::borrow::Cow;

/// The text of the members with these names; nothing for those that are not there, or when it is no object.
#[must_use]
pub fn members<'a, const N: usize>(object: &'a str, wanted: [&str; N]) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    let mut cursor = Cursor::new(object);
    if cursor.peek() == Some(b'{') && matches!(cursor.open_object(), Ok(true)) {
        // What is malformed was never stored: there is nothing to tell.
        let _ = each_member(&mut cursor, &wanted, &mut found);
    }
    found
}

/// The same of an object's later members: `text` begins with the name of one.
pub(crate) fn rest<'a, const N: usize>(text: &'a str, wanted: [&str; N]) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    let _ = each_member(&mut Cursor::new(text), &wanted, &mut found);
    found
}

fn each_member<'a>(cursor: &mut Cursor<'a>, wanted: &[&str], found: &mut [Option<&'a str>]) -> Result<(), Invalid> {
    loop {
        let name = plain(cursor.name()?);
        let value = value(cursor)?;
        if let Some(place) = wanted.iter().position(|wanted| wanted.as_bytes() == &*name) {
            found[place] = Some(value);
        }
        if !cursor.another(b'}')? {
            return Ok(());
        }
    }
}

/// The texts of an array's elements; none when it is no array.
#[must_use]
pub fn elements(array: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let _ = each_element(array, &mut found);
    found
}

fn each_element<'a>(array: &'a str, found: &mut Vec<&'a str>) -> Result<(), Invalid> {
    let mut cursor = Cursor::new(array);
    if cursor.peek() != Some(b'[') {
        return Ok(());
    }
    cursor.bump();
    if cursor.peek() == Some(b']') {
        return Ok(());
    }
    loop {
        found.push(value(&mut cursor)?);
        if !cursor.another(b']')? {
            return Ok(());
        }
    }
}

fn value<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Invalid> {
    cursor.peek();
    let start = cursor.position();
    cursor.value(u8::MAX)?;
    Ok(cursor.since(start))
}

/// What a member's text stands for, when it is a string or a number; a number as it was written.
#[must_use]
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    id(&Cursor::new(value).value(u8::MAX).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_as_text_and_the_last_of_a_name_counts() {
        let event = r#" { "a" : 1 , "b":{"a":[2, "}"]} ,"\u0061": [ 3 ] , "c":null}"#;
        assert_eq!(
            members(event, ["a", "b", "c", "d"]),
            [Some("[ 3 ]"), Some(r#"{"a":[2, "}"]}"#), Some("null"), None]
        );
        for none in ["{}", "[1]", "7", ""] {
            assert_eq!(members(none, ["a"]), [None], "{none}");
        }
    }

    #[test]
    fn later_members_are_found_without_the_earlier_ones() {
        let event = r#"{"a":1,"b":2,"c":{"a":3},"b":4}"#;
        assert_eq!(rest(&event[7..], ["a", "b"]), [None, Some("4")]);
        assert_eq!(rest("", ["a"]), [None]);
    }

    #[test]
    fn the_longest_name_that_is_looked_for_may_be_all_escapes() {
        let name = "resolutionStrategy";
        let escaped: String = name.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        assert_eq!(members(&format!(r#"{{"{escaped}":1}}"#), [name]), [Some("1")]);
    }

    #[test]
    fn elements_are_found_as_text() {
        assert_eq!(elements(r#"[ "a,b" , [1,2],{} ]"#), [r#""a,b""#, "[1,2]", "{}"]);
        for none in ["[]", "[ ]", "{}", r#""a""#] {
            assert!(elements(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn strings_and_numbers_are_text() {
        assert_eq!(text(r#""K\u00f6ln\ud800""#).as_deref(), Some("Köln\u{fffd}"));
        assert_eq!(text("7.0").as_deref(), Some("7.0"));
        assert_eq!((text("null"), text("[1]"), text("true")), (None, None, None));
    }
}
