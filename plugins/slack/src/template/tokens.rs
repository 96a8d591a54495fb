//! Cuts a template into texts and tags, and takes away the white space that tags ask to be taken.

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// As it stands.
    Text(&'t str),
    /// `{{field}}`.
    Field { path: &'t str, raw: bool },
    /// `{{#if field}}` or `{{#field}}`; `inverse` for `{{^field}}`.
    Open { words: &'t str, inverse: bool },
    /// `{{else}}`, or `{{else if field}}` with what comes after the first word.
    Else(&'t str),
    /// `{{/if}}`.
    Close(&'t str),
    /// `{{! words }}`.
    Comment,
}

/// The pieces of a template.
///
/// # Errors
/// When a tag does not end.
pub fn tokens(template: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let (before, from) = rest.split_at(start);
        let (inside, after, raw) = tag(from).ok_or_else(|| format!("has a {{{{ without {}", end_of(from)))?;
        let (inside, trim_left) = inside.strip_prefix('~').map_or((inside, false), |inside| (inside, true));
        let (inside, trim_right) = inside.strip_suffix('~').map_or((inside, false), |inside| (inside, true));
        tokens.push(Token::Text(if trim_left { before.trim_end() } else { before }));
        tokens.push(token(inside.trim(), raw));
        rest = if trim_right { after.trim_start() } else { after };
    }
    tokens.push(Token::Text(rest));
    alone_on_lines(&mut tokens);
    Ok(tokens)
}

fn end_of(tag: &str) -> &'static str {
    if tag.starts_with("{{!--") { "its --}}" } else { "its }}" }
}

/// What stands in the tag at the beginning, what comes behind it, and whether it wants no escapes.
fn tag(from: &str) -> Option<(&str, &str, bool)> {
    if let Some(inside) = from.strip_prefix("{{{") {
        return inside.split_once("}}}").map(|(inside, after)| (inside, after, true));
    }
    let inside = from.strip_prefix("{{")?;
    let is_long_comment = inside.trim_start_matches('~').starts_with("!--");
    if is_long_comment && let Some((_, after)) = inside.split_once("--}}").or_else(|| inside.split_once("--~}}")) {
        return Some(("!", after, false));
    }
    inside.split_once("}}").map(|(inside, after)| (inside, after, false))
}

fn token(inside: &str, raw: bool) -> Token<'_> {
    let mut chars = inside.chars();
    let first = chars.next();
    let rest = chars.as_str().trim();
    match first {
        Some('!') => Token::Comment,
        Some('#') => Token::Open { words: rest, inverse: false },
        Some('^') if rest.is_empty() => Token::Else(""),
        Some('^') => Token::Open { words: rest, inverse: true },
        Some('/') => Token::Close(rest),
        Some('&') => Token::Field { path: rest, raw: true },
        _ if inside == "else" => Token::Else(""),
        _ => match inside.strip_prefix("else ") {
            Some(words) => Token::Else(words.trim()),
            None => Token::Field { path: inside, raw },
        },
    }
}

/// A line on which nothing stands but a block's tag is no line of the message.
fn alone_on_lines(tokens: &mut [Token<'_>]) {
    let places: Vec<usize> = (0..tokens.len()).filter(|place| !matches!(tokens[*place], Token::Text(_))).collect();
    let count = tokens.len();
    for place in places {
        if matches!(tokens[place], Token::Field { .. }) {
            continue;
        }
        // Before and behind a tag there is always a text, if an empty one.
        let (Token::Text(before), Token::Text(after)) = (tokens[place - 1].clone(), tokens[place + 1].clone()) else {
            continue;
        };
        let line_start = before.trim_end_matches([' ', '\t']);
        let line_end = after.trim_start_matches([' ', '\t']);
        let starts = line_start.ends_with('\n') || (line_start.is_empty() && place == 1);
        let is_last = place + 2 == count;
        let ends = line_end.starts_with('\n') || line_end.starts_with("\r\n") || (line_end.is_empty() && is_last);
        if starts && ends {
            tokens[place - 1] = Token::Text(line_start);
            let line_end = line_end.strip_prefix('\r').unwrap_or(line_end);
            tokens[place + 1] = Token::Text(line_end.strip_prefix('\n').unwrap_or(line_end));
        }
    }
}
