//! From a byte to what a person looks for.

/// Characters of a line that are shown.
const EXCERPT_CHARS_MAX: usize = 200;

/// Line and column of a byte, both from 1; columns in UTF-16 units, as JavaScript engines and editors count.
pub(super) fn position(code: &str, offset: usize) -> (u32, u32) {
    let before = &code[..code.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before[line_start..].encode_utf16().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// The line itself; of a very long one the part around the column.
pub(crate) fn excerpt(code: &str, line: u32, column: u32) -> String {
    let Some(text) = (line as usize).checked_sub(1).and_then(|index| code.lines().nth(index)) else {
        return String::new();
    };
    if text.chars().nth(EXCERPT_CHARS_MAX).is_none() {
        return text.to_owned();
    }
    let from = (column as usize).saturating_sub(EXCERPT_CHARS_MAX / 2);
    let shown: String = text.chars().skip(from).take(EXCERPT_CHARS_MAX).collect();
    if from > 0 { format!("…{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_javascript_counts_them() {
        let code = "let a = 1;\n/*😀é*/ b c";
        assert_eq!(position(code, 0), (1, 1));
        assert_eq!(position(code, code.find('c').unwrap()), (2, 11));
    }

    #[test]
    fn a_minified_line_is_cut_around_the_column() {
        let code = "x".repeat(100_000) + "HERE" + &"y".repeat(100_000);
        let shown = excerpt(&code, 1, 100_001);
        assert!(shown.contains("HERE") && shown.chars().count() <= EXCERPT_CHARS_MAX + 1, "{shown}");
    }
}
