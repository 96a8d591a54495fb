//! What may stand in a request: URLs and headers, and a message for what may not.

/// Headers that belong to the connection, which is the host's.
const CONNECTION_HEADERS: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "http2-settings",
];

/// Whether a text can be a request's URL. Only what would certainly fail is refused; the host parses it.
///
/// # Errors
/// What is wrong, to be put behind the name of the field.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let start = url.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
    });
    let Some(rest) = rest else {
        return Err("must start with http:// or https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err("must name a host, as in https://example.com/events");
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must not contain spaces or control characters; write a space as %20");
    }
    Ok(())
}

/// Sets a header, in the place of one with the same name.
pub fn set_header(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    let name = name.to_ascii_lowercase();
    match headers.iter_mut().find(|(known, _)| *known == name) {
        Some(header) => header.1 = value,
        None => headers.push((name, value)),
    }
}

/// Whether a text can be a header's name.
///
/// # Errors
/// What is wrong, to be put behind the name of the field.
pub fn check_header_name(name: &str) -> Result<(), &'static str> {
    let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("is not a header name; use letters, digits and dashes");
    }
    if CONNECTION_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Err("is a header of the connection, which Pintle sets itself; remove it");
    }
    Ok(())
}

/// Whether a text can be a header's value.
///
/// # Errors
/// What is wrong, to be put behind the name of the field.
pub fn check_header_value(value: &str) -> Result<(), &'static str> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("must not contain line breaks or other control characters");
    }
    Ok(())
}
