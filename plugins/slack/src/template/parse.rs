//! Makes a template of its pieces.

use super::tokens::Token;
use super::{Block, DEPTH_MAX, From, Part, Path};
use std::iter::Peekable;
use std::vec::IntoIter;

type Tokens<'t> = Peekable<IntoIter<Token<'t>>>;

/// The parts of a template.
///
/// # Errors
/// What is wrong, without the template's words.
pub fn parse(tokens: Vec<Token<'_>>) -> Result<Vec<Part>, String> {
    let mut tokens = tokens.into_iter().peekable();
    let parts = parts(&mut tokens, DEPTH_MAX)?;
    match tokens.next() {
        None => Ok(parts),
        Some(Token::Else(_)) => Err("has an {{else}} outside of a block".to_owned()),
        Some(_) => Err("has a {{/…}} without its {{#…}}".to_owned()),
    }
}

/// Everything up to the end of the block.
fn parts(tokens: &mut Tokens<'_>, depth: usize) -> Result<Vec<Part>, String> {
    if depth == 0 {
        return Err(format!("has blocks nested deeper than {DEPTH_MAX} levels"));
    }
    let mut parts = Vec::new();
    while let Some(token) = tokens.next_if(|token| !matches!(token, Token::Else(_) | Token::Close(_))) {
        match token {
            Token::Text("") => {}
            Token::Text(text) => parts.push(Part::Text(text.to_owned())),
            Token::Field { path: words, raw } => parts.push(Part::Field { path: path(words)?, raw }),
            Token::Open { words, inverse } => {
                let block = block(words, tokens, depth)?;
                let Some(Token::Close(closed)) = tokens.next() else {
                    return Err("has a {{#…}} without its {{/…}}".to_owned());
                };
                if !closed.is_empty() && closed != first_word(words) && closed != words {
                    return Err("has a {{/…}} that closes another block than the last one opened".to_owned());
                }
                parts.push(if inverse { turned(block) } else { block });
            }
            Token::Comment | Token::Else(_) | Token::Close(_) => {}
        }
    }
    Ok(parts)
}

/// The block of an opening tag or an `{{else if …}}`, without the tag that closes it.
fn block(words: &str, tokens: &mut Tokens<'_>, depth: usize) -> Result<Part, String> {
    let (kind, field) = match words.split_once(char::is_whitespace) {
        Some(("if", field)) => (Block::If, field),
        Some(("unless", field)) => (Block::Unless, field),
        Some(("each", field)) => (Block::Each, field),
        Some(("with", field)) => (Block::With, field),
        None if ["if", "unless", "each", "with"].contains(&words) => {
            return Err("has a block that does not say of which field".to_owned());
        }
        _ => (Block::Section, words),
    };
    // `as |item|` gives names to what `this` is; nobody's messages want it.
    if field.contains('|') {
        return Err("has a block with names between |bars|, which are not known here".to_owned());
    }
    let path = path(field.trim())?;
    let then = parts(tokens, depth - 1)?;
    let otherwise = match tokens.next_if(|token| matches!(token, Token::Else(_))) {
        Some(Token::Else("")) => parts(tokens, depth - 1)?,
        Some(Token::Else(words)) => vec![block(words, tokens, depth - 1)?],
        _ => Vec::new(),
    };
    Ok(Part::Block { kind, path, then, otherwise })
}

/// `{{^field}}`: what is written when there is nothing.
fn turned(block: Part) -> Part {
    match block {
        Part::Block { kind, path, then, otherwise } => Part::Block { kind, path, then: otherwise, otherwise: then },
        other => other,
    }
}

fn first_word(words: &str) -> &str {
    words.split_whitespace().next().unwrap_or_default()
}

/// `traits.email`, `../name`, `[favorite color]`, `this`, `@index`. A name with blanks needs no brackets.
fn path(words: &str) -> Result<Path, String> {
    let (mut from, mut rest) = (From::Up(0), words);
    let specials = [
        ("@index", From::Index),
        ("@key", From::Key),
        ("@first", From::First),
        ("@last", From::Last),
        ("@root", From::Root),
    ];
    if let Some((word, special)) = specials.iter().find(|(word, _)| first_step(words) == *word) {
        (from, rest) = (*special, &words[word.len()..]);
    }
    let mut up = 0;
    while let Some(above) = rest.strip_prefix("..") {
        (up, rest) = (up + 1, above.strip_prefix('/').unwrap_or(above));
        from = From::Up(up);
    }
    let mut steps = Vec::new();
    while !rest.is_empty() {
        rest = rest.trim_start_matches(['.', '/']);
        let (step, after) = match rest.strip_prefix('[') {
            Some(inside) => inside.split_once(']').ok_or("has a [ without its ]")?,
            None => rest.split_at(first_step(rest).len()),
        };
        let is_itself = step == "this" && steps.is_empty();
        if !step.is_empty() && !is_itself {
            steps.push(step.trim().to_owned());
        }
        rest = after;
    }
    if steps.is_empty() && words.is_empty() {
        return Err("has a tag without a field's name".to_owned());
    }
    Ok(Path { from, steps })
}

fn first_step(words: &str) -> &str {
    words.split(['.', '/', '[']).next().unwrap_or_default()
}
