//! Compares what was recorded without its secrets with what came out here.

/// What stands where a secret stood.
const STARS: &str = "***";

/// How two texts compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Same {
    /// Byte for byte.
    Identical,
    /// Byte for byte, apart from the places where a secret is masked.
    ButForSecrets,
    /// They differ.
    Different,
}

/// Compares a recorded text with another one: every `***` of it stands for any text.
pub(super) fn compare(recorded: &str, found: &str) -> Same {
    if recorded == found {
        return Same::Identical;
    }
    let mut parts = recorded.split(STARS);
    let Some(mut rest) = parts.next().and_then(|first| found.strip_prefix(first)) else { return Same::Different };
    let mut parts: Vec<&str> = parts.collect();
    // Without a secret in it there is nothing that might be left out.
    let Some(last) = parts.pop() else { return Same::Different };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return Same::Different,
        }
    }
    if rest.ends_with(last) { Same::ButForSecrets } else { Same::Different }
}

/// Where two texts begin to differ, with a little of what stands around it in each.
pub(super) fn difference(recorded: &str, found: &str) -> (usize, String, String) {
    const SHOWN: usize = 60;
    let at = recorded.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let from = text.floor_char_boundary(at.saturating_sub(20));
        let to = text.ceil_char_boundary((at + SHOWN).min(text.len()));
        text[from.min(to)..to].to_owned()
    };
    (at, around(recorded), around(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_or_they_are_not() {
        assert_eq!(compare("{\"a\":1}", "{\"a\":1}"), Same::Identical);
        assert_eq!(compare("{\"a\":1}", "{\"a\":1.0}"), Same::Different);
        assert_eq!(compare("", "x"), Same::Different);
    }

    #[test]
    fn a_masked_secret_stands_for_any_text_and_all_else_for_itself() {
        assert_eq!(compare("key=***&n=1", "key=#secret:ab&n=1"), Same::ButForSecrets);
        assert_eq!(compare("key=***&n=1", "key=#secret:ab&n=2"), Same::Different);
        assert_eq!(compare("a ***, b ***", "a 1, b 2"), Same::ButForSecrets);
        assert_eq!(compare("a ***, b ***", "a 1, c 2"), Same::Different);
        assert_eq!(compare("***", ""), Same::ButForSecrets);
        assert_eq!(compare("x***x", "x"), Same::Different);
    }

    #[test]
    fn where_they_begin_to_differ_is_told_with_what_is_around() {
        let (at, recorded, found) = difference("grün: 1", "grün: 2");
        assert_eq!((at, recorded.as_str(), found.as_str()), (7, "grün: 1", "grün: 2"));
        assert_eq!(difference("abc", "ab").0, 2);
    }
}
