//! The words of an expression.

use super::Binary;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'t> {
    /// `$` or `@`.
    Root {
        of_item: bool,
    },
    /// Letters, digits, `_` and `-`, not beginning with a digit.
    Name(&'t str),
    /// `'text'` or `"text"`.
    Text(String),
    Number(f64),
    Binary(Binary),
    /// Any other sign: `. .. [ ] ( ) * ? , : !`.
    Sign(&'static str),
}

const OPERATORS: [(&str, Binary); 14] = [
    ("===", Binary::Equal),
    ("!==", Binary::NotEqual),
    ("==", Binary::Equal),
    ("!=", Binary::NotEqual),
    ("<=", Binary::LessOrEqual),
    (">=", Binary::MoreOrEqual),
    ("||", Binary::Or),
    ("??", Binary::OrIfMissing),
    ("&&", Binary::And),
    ("<", Binary::Less),
    (">", Binary::More),
    ("+", Binary::Plus),
    ("-", Binary::Minus),
    // `*` is read as a sign: in a path it means all.
    ("/", Binary::Over),
];
const SIGNS: [&str; 11] = ["..", ".", "[", "]", "(", ")", "*", "?", ",", ":", "!"];

/// The words of an expression, in order.
///
/// # Errors
/// What cannot stand in one.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '$' | '@' => (Token::Root { of_item: first == '@' }, &rest[1..]),
            '\'' | '"' => quoted(&rest[1..], first)?,
            '0'..='9' => number(rest)?,
            _ if is_name(first) => {
                let end = rest.find(|c: char| !(is_name(c) || c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
                (Token::Name(&rest[..end]), &rest[end..])
            }
            _ => sign(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn is_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn quoted(inside: &str, quote: char) -> Result<(Token<'_>, &str), String> {
    let mut text = String::new();
    let mut chars = inside.char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((Token::Text(text), &inside[place + 1..])),
            '\\' => text.push(match chars.next().map(|(_, escaped)| escaped) {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(escaped) => escaped,
                None => break,
            }),
            _ => text.push(c),
        }
    }
    Err("has a quote that does not end".to_owned())
}

fn number(rest: &str) -> Result<(Token<'_>, &str), String> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(rest);
    let fraction = rest[end..].strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        end += 1 + fraction;
    }
    let exponent =
        rest[end..].strip_prefix(['e', 'E']).map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    if let Some(digits) = exponent.map(digits).filter(|digits| *digits > 0) {
        end = rest.len() - exponent.map_or(0, str::len) + digits;
    }
    let word = &rest[..end];
    // A name that begins with a digit, as in `$.2nd`, or a number with zeros in front, as in a telephone number.
    let is_odd =
        rest[end..].starts_with(is_name) || (word.len() > 1 && word.starts_with('0') && !word.starts_with("0."));
    match word.parse() {
        Ok(number) if !is_odd => Ok((Token::Number(number), &rest[end..])),
        _ => Err("has a word that begins like a number; write it in quotes".to_owned()),
    }
}

fn sign(rest: &str) -> Result<(Token<'_>, &str), String> {
    if let Some((sign, operator)) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((Token::Binary(*operator), &rest[sign.len()..]));
    }
    let found = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    found.map(|sign| (Token::Sign(sign), &rest[sign.len()..])).ok_or_else(|| "has a sign that is not known".to_owned())
}
