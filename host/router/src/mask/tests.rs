use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

const SECRET: &str = "s3cr3t/key+with \"all\"&ümlaut";

fn masked(text: &str) -> String {
    Mask::new([SECRET]).excerpt(text, 10_000)
}

#[test]
fn a_secret_is_masked_as_it_is() {
    assert_eq!(masked(&format!("a {SECRET} b {SECRET}")), "a *** b ***");
    assert_eq!(masked("nothing here"), "nothing here");
}

#[test]
fn a_secret_is_masked_when_it_is_percent_encoded() {
    for encoded in [
        "s3cr3t%2Fkey%2Bwith%20%22all%22%26%C3%BCmlaut",
        "s3cr3t%2fkey%2bwith%20%22all%22%26%c3%bcmlaut",
        "s3cr3t%2Fkey%2Bwith+%22all%22%26%C3%BCmlaut",
    ] {
        assert_eq!(masked(&format!("?k={encoded}&x=1")), "?k=***&x=1", "{encoded}");
    }
}

#[test]
fn a_secret_is_masked_when_it_is_escaped() {
    let body = json!({ "key": SECRET, "n": 1 }).to_string();
    assert_eq!(masked(&body), r#"{"key":"***","n":1}"#);
    assert_eq!(masked(r#""s3cr3t\/key+with \"all\"&ümlaut""#), "\"***\"");
    assert_eq!(masked(r#""s3cr3t/key+with \"all\"&\u00fcmlaut""#), "\"***\"");
    assert_eq!(masked("<k>s3cr3t/key+with &quot;all&quot;&amp;ümlaut</k>"), "<k>***</k>");
}

#[test]
fn a_base64_token_with_a_secret_inside_goes_whole() {
    for user in ["", "u", "us", "use", "user"] {
        for after in ["", ":", "::", "x-y-z"] {
            let plain = format!("{user}{SECRET}{after}");
            for token in [STANDARD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
                assert_eq!(masked(&format!("authorization: Basic {token}\n")), "authorization: Basic ***\n");
            }
        }
    }
}

#[test]
fn an_excerpt_is_cut_after_masking_so_that_no_part_of_a_secret_remains() {
    let mask = Mask::new(["abcdefgh"]);
    let text = "abcdefgh".repeat(50);
    for max in 0..60 {
        let excerpt = mask.excerpt(&text, max);
        assert!(!excerpt.contains('a'), "{excerpt}");
        assert!(excerpt.len() <= max + '…'.len_utf8());
    }
    assert_eq!(mask.excerpt("0123456789", 4), "0123…");
    assert_eq!(mask.excerpt("üüü", 3), "ü…");
    assert_eq!(mask.excerpt("0123", 4), "0123");
}

#[test]
fn a_secret_that_contains_another_is_masked_whole() {
    assert_eq!(Mask::new(["abc", "abcdef"]).excerpt("xabcdefx abc", 100), "x***x ***");
    assert_eq!(Mask::new(["", "  "]).excerpt("a  b", 100), "a***b");
}

#[test]
fn bytes_that_are_no_text_are_shown_as_well_as_can_be() {
    let mut bytes = b"key=".to_vec();
    bytes.extend_from_slice(SECRET.as_bytes());
    bytes.extend_from_slice(&[0xff, 0xfe]);
    assert_eq!(Mask::new([SECRET]).excerpt_bytes(&bytes, 100), "key=***\u{fffd}\u{fffd}");
}

#[test]
fn secrets_are_found_where_the_schema_says_write_only() {
    let schema = json!({
        "$defs": { "account": { "properties": { "password": { "writeOnly": true } } } },
        "properties": {
            "url": { "type": "string" },
            "apiKey": { "type": "string", "writeOnly": true },
            "headers": { "items": { "properties": { "to": { "writeOnly": true } } } },
            "account": { "$ref": "#/$defs/account" },
            "pin": { "writeOnly": true }
        },
        "oneOf": [{ "properties": { "other": { "writeOnly": true } } }]
    });
    let config = json!({
        "url": "https://open.example",
        "apiKey": "KEY-1",
        "headers": [{ "from": "x", "to": "KEY-2" }, { "from": "y", "to": "KEY-3" }],
        "account": { "name": "bob", "password": "KEY-4" },
        "pin": 987_654,
        "other": { "deep": ["KEY-5"] }
    });
    let text = "open.example bob KEY-1 KEY-2 KEY-3 KEY-4 987654 KEY-5 KEY-6";
    let mask = Mask::of_config(&schema, &config);
    assert_eq!(mask.excerpt(text, 1000), "open.example bob *** *** *** *** *** *** KEY-6");
    assert!(!format!("{mask:?}").contains("KEY"));
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let schema = json!({ "$ref": "#" });
    assert_eq!(Mask::of_config(&schema, &json!({ "a": 1 })).excerpt("a", 9), "a");
}

#[test]
fn a_secret_is_masked_in_hexadecimal() {
    for hex in ["733363723374", "733363723374".to_uppercase().as_str()] {
        assert_eq!(Mask::new(["s3cr3t"]).excerpt(&format!("sig={hex}&x"), 100), "sig=***&x");
    }
    assert_eq!(Mask::new(["abc"]).excerpt("616263", 100), "616263", "three bytes prove nothing");
}

#[test]
fn a_secret_is_masked_in_every_spelling_of_markup() {
    let secret = "a<b>&'c'/\"d\"";
    let mask = Mask::new([secret]);
    for spelled in [
        "a&lt;b&gt;&amp;'c'/&quot;d&quot;",
        "a&lt;b&gt;&amp;&apos;c&apos;/&quot;d&quot;",
        "a&lt;b&gt;&amp;&#39;c&#39;/&#34;d&#34;",
        "a&lt;b&gt;&amp;&#x27;c&#x27;/&#x22;d&#x22;",
        r#"a\u003cb\u003e\u0026\u0027c\u0027\/\"d\""#,
        r#"a\u003Cb\u003E\u0026'c'/\"d\""#,
    ] {
        assert_eq!(mask.excerpt(&format!("[{spelled}]"), 200), "[***]", "{spelled}");
    }
}

#[test]
fn a_secret_is_masked_when_it_was_encoded_twice() {
    let mask = Mask::new(["a/b\"c\" d"]);
    let inner = json!({ "key": "a/b\"c\" d" }).to_string();
    let outer = json!({ "inner": inner }).to_string();
    assert!(!mask.excerpt(&outer, 200).contains("a/b"), "{outer}");
    assert_eq!(mask.excerpt("u=a%252Fb%2522c%2522%2520d&v", 100), "u=***&v");
    let token = STANDARD.encode("user:?>?>?>a/b\"c\" d");
    let encoded = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    assert_eq!(mask.excerpt(&format!("auth {encoded} x"), 200), "auth *** x");
}

#[test]
fn what_nobody_declared_is_masked_unless_it_is_short() {
    let mask = Mask::new(["key-1"]).and(["hook-token", "eu", " "]);
    assert_eq!(mask.excerpt("eu key-1 https://a.example/hook-token/in", 100), "eu *** https://a.example/***/in");
}
