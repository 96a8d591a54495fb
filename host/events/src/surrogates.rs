//! Halves of surrogate pairs, written as escapes.
//!
//! `"\ud800"` is JSON by RFC 8259 and stands for no text. JavaScript takes it and makes it (cutting a text
//! between the halves of an emoji is enough); strict readers, serde among them, refuse the whole document.
//! Whoever reads an event here may be strict, so a half that lacks its other half becomes U+FFFD, as in Go.

const REPLACEMENT: &[u8; 6] = b"\\ufffd";

/// Replaces every half that stands alone in JSON text, in place: both escapes have six bytes.
pub fn mend(json: &mut [u8]) {
    let mut at = 0;
    // Only strings hold backslashes, so each one met like this begins an escape.
    while let Some(offset) = json.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += offset;
        match half(json, at) {
            Some(Half::First) if matches!(half(json, at + 6), Some(Half::Second)) => at += 12,
            Some(_) => {
                json[at..at + 6].copy_from_slice(REPLACEMENT);
                at += 6;
            }
            None => at += 2,
        }
    }
}

enum Half {
    First,
    Second,
}

/// Which half the escape at `at` stands for, if it stands for one.
fn half(json: &[u8], at: usize) -> Option<Half> {
    let [b'\\', b'u', b'd' | b'D', digit, rest @ ..] = json.get(at..at + 6)? else { return None };
    if !rest.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    match digit {
        b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Half::First),
        b'c'..=b'f' | b'C'..=b'F' => Some(Half::Second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::mend;

    fn mended(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        mend(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_half_that_stands_alone_is_replaced() {
        for (text, expected) in [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\uDFFF""#, r#""\ufffd""#),
            (r#"{"\uDbFfx":1}"#, r#"{"\ufffdx":1}"#),
            (r#""\udc00\ud83d""#, r#""\ufffd\ufffd""#), // the wrong way round
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#), // one too many
            (r#""\ud83d \ude00""#, r#""\ufffd \ufffd""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\\\ud800""#, r#""\\\ufffd""#), // behind a backslash that is one
        ] {
            assert_eq!(mended(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_keeps_its_bytes() {
        for text in [
            r#""\ud83d\ude00""#,
            r#""\uD83D\uDE00""#,
            r#""\\ud800""#,
            r#""\\\\ud800\n""#,
            r#""\ud7ff\ue000""#,
            "",
            "\"ü\"",
        ] {
            assert_eq!(mended(text), text);
        }
    }

    #[test]
    fn broken_text_is_no_danger() {
        for text in ["\\", "\\u", "\\ud8", "\\ud800", "\\ud800\\", "\\ud800\\udc0", "\\ud8zz"] {
            assert_eq!(mended(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn what_is_mended_is_unicode_for_a_strict_reader() {
        let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
        let mut state = seed;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        const PIECES: [&str; 9] = ["\\ud83d", "\\ude00", "\\\\", "\\u0041", "ud800", "x", "\\\"", "\\udbff", "\\udc00"];
        for _ in 0..5_000 {
            let pieces: String = (0..next() % 12).map(|_| PIECES[(next() % 9) as usize]).collect();
            let text = format!("\"{pieces}\"");
            let read = serde_json::from_str::<String>(&mended(&text));
            assert!(read.is_ok(), "seed {seed}: {text} became {}", mended(&text));
            if let Ok(as_it_was) = serde_json::from_str::<String>(&text) {
                assert_eq!(read.unwrap(), as_it_was, "seed {seed}: {text}");
            }
        }
    }
}
