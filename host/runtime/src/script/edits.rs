//! Changes to a text that leave every line and column where it is.

use std::borrow::Cow;

/// Collected changes, applied at once.
#[derive(Default)]
pub(super) struct Edits {
    edits: Vec<Edit>,
}

struct Edit {
    start: usize,
    end: usize,
    /// What stands at the beginning instead; the rest becomes spaces.
    prefix: Cow<'static, str>,
}

impl Edits {
    /// Turns a span into spaces.
    pub(super) fn blank(&mut self, start: usize, end: usize) {
        self.replace(start, end, "");
    }

    /// Turns a span into something shorter, and spaces.
    pub(super) fn replace(&mut self, start: usize, end: usize, prefix: impl Into<Cow<'static, str>>) {
        if start < end {
            self.edits.push(Edit { start, end, prefix: prefix.into() });
        }
    }

    /// Puts something between two characters. What follows on the same line moves.
    pub(super) fn insert(&mut self, at: usize, text: &'static str) {
        self.edits.push(Edit { start: at, end: at, prefix: text.into() });
    }

    pub(super) fn apply(mut self, code: &str) -> String {
        self.edits.sort_by_key(|edit| edit.start);
        let mut out = String::with_capacity(code.len() + 8);
        let mut at = 0;
        for Edit { start, end, prefix } in self.edits {
            if start < at {
                // Inside something that is gone already.
                continue;
            }
            out.push_str(&code[at..start]);
            out.push_str(&prefix);
            let mut skip = if start == end { 0 } else { prefix.len() };
            for character in code[start..end].chars() {
                if matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
                    // The prefix stands on the first line, however short that is.
                    skip = 0;
                    out.push(character);
                    continue;
                }
                // Engines count columns in UTF-16 units.
                for _ in 0..character.len_utf16() {
                    match skip {
                        0 => out.push(' '),
                        _ => skip -= 1,
                    }
                }
            }
            at = end;
        }
        out.push_str(&code[at..]);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_stays_where_it_was() {
        let code = "a /*é😀\nx*/ b";
        let mut edits = Edits::default();
        edits.replace(2, code.find(" b").unwrap(), ";");
        assert_eq!(edits.apply(code), "a ;    \n    b");
    }
}
