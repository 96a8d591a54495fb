//! The query of a URL.

use std::borrow::Cow;

/// Its pairs, decoded, in order. What is not UTF-8 is repaired.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// The first value of a name.
pub(crate) fn get(query: &str, wanted: &str) -> Option<String> {
    pairs(query).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// `+` is a space, `%41` an A; a percent sign that nothing follows stands for itself.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Cow::Borrowed(text);
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let escaped = (*first == b'%').then(|| Some((hex(behind.first()?)?, hex(behind.get(1)?)?))).flatten();
        let (byte, taken) = match (first, escaped) {
            (_, Some((high, low))) => (high << 4 | low, 3),
            (b'+', None) => (b' ', 1),
            (byte, None) => (*byte, 1),
        };
        bytes.push(byte);
        rest = &rest[taken..];
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_in_order() {
        let query = "a=1&b+c=%C3%BC%2b+&&d&e=f=g&h=%zz%4&%=%ff";
        let found: Vec<_> = pairs(query).map(|(name, value)| format!("{name}:{value}")).collect();
        assert_eq!(found, ["a:1", "b c:ü+ ", "d:", "e:f=g", "h:%zz%4", "%:\u{fffd}"]);
        assert_eq!(get(query, "e").as_deref(), Some("f=g"));
        assert_eq!(get(query, "none"), None);
    }
}
