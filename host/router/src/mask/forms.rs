//! The forms in which a secret may appear.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt::Write as _;

/// Fewer bytes in hexadecimal are no evidence of a secret.
const HEX_BYTES_MIN: usize = 4;
/// Fewer characters of a base64 token are no evidence of a secret.
const TOKEN_CORE_MIN: usize = 4;

/// One form of one secret.
#[derive(Clone)]
pub(super) struct Form {
    pub(super) text: String,
    /// It is the inside of a base64 token: the whole token goes.
    pub(super) in_token: bool,
}

/// Every form of a secret.
pub(super) fn forms_of(secret: &str) -> Vec<Form> {
    let trimmed = secret.trim();
    let mut forms = Vec::new();
    for secret in if trimmed == secret { vec![secret] } else { vec![secret, trimmed] } {
        if secret.is_empty() {
            continue;
        }
        let strict = percent(secret, "-._~", false, true);
        let texts = [
            secret.to_owned(),
            // Encoded once more, as the query of a URL within a query is.
            percent(&strict, "-._~", false, true),
            strict,
            percent(secret, "-._~", false, false),
            // What `encodeURIComponent` and HTML forms leave alone.
            percent(secret, "-._~!*'()", false, true),
            percent(secret, "*-._", true, true),
            percent(secret, "-._~!$&'()*+,;=:@/?", false, true),
            json(secret, false),
            json(secret, false).replace('/', "\\/"),
            json(secret, true),
            // JSON within a text of JSON.
            json(&json(secret, false), false),
            json(&json(secret, true), true),
            markup(&json(secret, false), &UNICODE_ESCAPES),
            markup(&json(secret, false), &UNICODE_ESCAPES_UPPER),
            markup(&json(secret, true), &UNICODE_ESCAPES),
            markup(secret, &XML),
            markup(secret, &XML_NAMED),
            markup(secret, &XML_DECIMAL),
            markup(secret, &XML_HEX),
        ];
        forms.extend(texts.into_iter().chain(hex(secret)).map(|text| Form { text, in_token: false }));
        forms.extend(cores(secret).into_iter().map(|text| Form { text, in_token: true }));
    }
    forms
}

fn percent(text: &str, plain: &str, plus_for_space: bool, upper: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' if plus_for_space => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) => out.push(char::from(byte)),
            _ if upper => write!(out, "%{byte:02X}").expect("a String takes every write"),
            _ => write!(out, "%{byte:02x}").expect("a String takes every write"),
        }
    }
    out
}

fn json(text: &str, ascii: bool) -> String {
    let quoted = serde_json::to_string(text).expect("a string is always JSON");
    let inside = &quoted[1..quoted.len() - 1];
    if !ascii {
        return inside.to_owned();
    }
    let mut out = String::with_capacity(inside.len());
    let mut units = [0; 2];
    for c in inside.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").expect("a String takes every write");
            }
        }
    }
    out
}

/// How a writer spells what markup gives a meaning to; the ampersand comes first.
type Spelling = [(char, &'static str)];

const XML: [(char, &str); 4] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")];
const XML_NAMED: [(char, &str); 5] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&apos;")];
const XML_DECIMAL: [(char, &str); 5] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#34;"), ('\'', "&#39;")];
const XML_HEX: [(char, &str); 5] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&#x22;"), ('\'', "&#x27;")];
/// Of those who write JSON that may stand in a page.
const UNICODE_ESCAPES: [(char, &str); 5] =
    [('&', "\\u0026"), ('<', "\\u003c"), ('>', "\\u003e"), ('\'', "\\u0027"), ('/', "\\/")];
const UNICODE_ESCAPES_UPPER: [(char, &str); 3] = [('&', "\\u0026"), ('<', "\\u003C"), ('>', "\\u003E")];

fn markup(text: &str, spelling: &Spelling) -> String {
    spelling.iter().fold(text.to_owned(), |text, (c, spelled)| text.replace(*c, spelled))
}

/// The bytes in hexadecimal, small and large.
fn hex(secret: &str) -> Vec<String> {
    if secret.len() < HEX_BYTES_MIN {
        return Vec::new();
    }
    let small = secret.bytes().fold(String::with_capacity(secret.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    });
    vec![small.to_uppercase(), small]
}

/// The characters of a base64 token that depend on nothing but the secret, for each of the three places
/// within a group of three bytes where it may begin, in both alphabets.
fn cores(secret: &str) -> Vec<String> {
    let mut cores = Vec::new();
    for offset in 0..3 {
        let skip = (3 - offset) % 3;
        let inner = secret.as_bytes().get(skip..).unwrap_or_default();
        let whole = inner.len() / 3 * 3;
        let core = STANDARD_NO_PAD.encode(&inner[..whole]);
        if core.len() >= TOKEN_CORE_MIN {
            cores.push(core.replace('+', "-").replace('/', "_"));
            cores.push(percent(&core, "", false, true));
            cores.push(percent(&core, "", false, false));
            cores.push(core);
        }
    }
    cores
}
