//! Words in front of a name that only TypeScript knows.

/// Byte spans of `public`, `readonly` and the like in the text before a class member's name.
pub(super) fn typescript_words(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else {
            let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            if ["public", "private", "protected", "readonly", "override"].contains(&&rest[..word]) {
                found.push((at, at + word));
            }
            let next = rest.chars().next().map_or(0, char::len_utf8);
            rest = &rest[word.max(next)..];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_outside_of_comments_count() {
        let text = "public /* private */ static readonly ";
        let words: Vec<_> = typescript_words(text).into_iter().map(|(from, to)| &text[from..to]).collect();
        assert_eq!(words, ["public", "readonly"]);
    }
}
