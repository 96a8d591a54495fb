//! Percent-encoding of what a plugin describes.

use std::fmt::Write as _;

/// Appends `pairs` to a query string, percent-encoded as RFC 3986 says.
pub(super) fn push_query(url: &mut String, pairs: &[(String, String)]) {
    for (name, value) in pairs {
        url.push(if url.contains('?') { '&' } else { '?' });
        push_component(url, name, "-._~", "%20");
        url.push('=');
        push_component(url, value, "-._~", "%20");
    }
}

/// `application/x-www-form-urlencoded`, as the URL Standard says.
pub(super) fn form(pairs: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        push_component(&mut out, name, "*-._", "+");
        out.push('=');
        push_component(&mut out, value, "*-._", "+");
    }
    out
}

fn push_component(out: &mut String, text: &str, plain: &str, space: &str) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(space),
            _ if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("a String takes every write"),
        }
    }
}

/// A URL with what may not stand in one percent-encoded, and without its fragment. Existing escapes stay.
pub(super) fn tidy(url: &str) -> String {
    let url = url.trim();
    let url = url.split('#').next().unwrap_or_default();
    let mut out = String::with_capacity(url.len() + 64);
    for c in url.chars() {
        if c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}') {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                write!(out, "%{byte:02X}").expect("a String takes every write");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_query_is_appended_percent_encoded() {
        let mut url = "https://a.example/p".to_owned();
        push_query(&mut url, &pairs(&[("a b", "1+1=2&ü"), ("c", "")]));
        assert_eq!(url, "https://a.example/p?a%20b=1%2B1%3D2%26%C3%BC&c=");
        let mut url = "https://a.example/p?x=1".to_owned();
        push_query(&mut url, &pairs(&[("y", "~")]));
        assert_eq!(url, "https://a.example/p?x=1&y=~");
    }

    #[test]
    fn a_form_is_encoded_as_browsers_do() {
        assert_eq!(form(&pairs(&[("a b", "1+1 = 2"), ("ü", "*-._~")])), "a+b=1%2B1+%3D+2&%C3%BC=*-._%7E");
        assert_eq!(form(&[]), "");
    }

    #[test]
    fn a_url_is_made_fit_to_send() {
        assert_eq!(tidy(" http://a.example/a b/ü?q={x}%20#frag "), "http://a.example/a%20b/%C3%BC?q=%7Bx%7D%20");
    }
}
