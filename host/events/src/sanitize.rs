//! Cleaning of ids: what cannot be seen is not part of an id.
//!
//! RudderStack trims ids and drops invisible characters before it compares them, so that an id pasted with
//! a zero-width space, a byte order mark or a NUL in it is the same person. The event keeps its own text.

use std::borrow::Cow;

/// The id without invisible characters and without white space around it. Borrowed when nothing had to go.
#[must_use]
pub fn id(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(is_invisible) {
        return Cow::Borrowed(text.trim());
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    match visible.trim() {
        trimmed if trimmed.len() == visible.len() => Cow::Owned(visible),
        trimmed => Cow::Owned(trimmed.to_owned()),
    }
}

/// Whether a character leaves no mark: control and format characters, white space other than the plain
/// space, and the letters that are drawn as nothing.
///
/// A fixed table, not the Unicode version of the day: ordering keys are computed from the result, so it
/// must never change.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' // controls, no-break space, soft hyphen
        | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{1680}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{2800}' | '\u{3000}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_id_is_borrowed_as_it_is() {
        assert!(matches!(id("5b1f-user@example.com"), Cow::Borrowed("5b1f-user@example.com")));
        assert!(matches!(id("Jürgen 東京 🦀"), Cow::Borrowed("Jürgen 東京 🦀")));
    }

    #[test]
    fn white_space_around_an_id_goes_and_a_space_inside_stays() {
        assert_eq!(id("  a b \t"), "a b");
        assert_eq!(id("\u{a0}a\u{3000}"), "a");
    }

    #[test]
    fn invisible_characters_go_wherever_they_stand() {
        assert_eq!(id("\u{feff}us\0er\u{200b}1\u{202e}"), "user1");
        assert_eq!(id("\u{200b} x \u{200b}"), "x");
        assert_eq!(id("a\u{7f}\u{85}b\n"), "ab");
    }

    #[test]
    fn an_id_of_nothing_visible_is_empty() {
        for text in ["", " ", "\0", "\u{200b}\u{feff}", " \u{200b} ", "\t\r\n", "\u{2800}\u{3164}"] {
            assert_eq!(id(text), "", "{text:?}");
        }
    }

    #[test]
    fn the_replacement_character_is_visible() {
        assert_eq!(id("a\u{fffd}"), "a\u{fffd}");
    }
}
