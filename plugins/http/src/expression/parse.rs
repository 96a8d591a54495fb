//! Makes an expression of its words.

use super::tokens::{Token, tokens};
use super::{Binary, DEPTH_MAX, Expression, Path, Step, Unary};
use pintle_plugin_sdk::js::json_number;
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::serde_json::Value;
use std::borrow::Cow;

/// Steps of a path, and names within brackets.
const STEPS_MAX: usize = 64;

struct Words<'t> {
    tokens: Vec<Token<'t>>,
    place: usize,
}

/// An expression and nothing behind it.
///
/// # Errors
/// What is wrong.
pub fn expression(text: &str) -> Result<Expression, String> {
    let mut words = Words { tokens: tokens(text)?, place: 0 };
    let read = binary(&mut words, 0, DEPTH_MAX)?;
    match words.next() {
        None => Ok(read),
        Some(_) => Err("has something behind its end".to_owned()),
    }
}

impl<'t> Words<'t> {
    fn next(&mut self) -> Option<Token<'t>> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token
    }

    fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.place)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("lacks a {sign}")) }
    }
}

fn strength(operator: Binary) -> u8 {
    match operator {
        Binary::Or | Binary::OrIfMissing => 1,
        Binary::And => 2,
        Binary::Equal | Binary::NotEqual => 3,
        Binary::Less | Binary::LessOrEqual | Binary::More | Binary::MoreOrEqual => 4,
        Binary::Plus | Binary::Minus => 5,
        Binary::Times | Binary::Over => 6,
    }
}

/// Operators that bind stronger than `above`.
fn binary(words: &mut Words<'_>, above: u8, depth: usize) -> Result<Expression, String> {
    let depth = depth.checked_sub(1).ok_or("is nested too deep")?;
    let mut left = unary(words, depth)?;
    loop {
        let operator = match words.peek() {
            Some(Token::Binary(operator)) => *operator,
            Some(Token::Sign("*")) => Binary::Times,
            _ => return Ok(left),
        };
        if strength(operator) <= above {
            return Ok(left);
        }
        words.place += 1;
        let right = binary(words, strength(operator), depth)?;
        left = Expression::Binary(operator, Box::new(left), Box::new(right));
    }
}

fn unary(words: &mut Words<'_>, depth: usize) -> Result<Expression, String> {
    let depth = depth.checked_sub(1).ok_or("is nested too deep")?;
    let constant = |node| Ok(Expression::Constant(node));
    match words.next().ok_or("ends too early")? {
        Token::Sign("!") => Ok(Expression::Unary(Unary::Not, Box::new(unary(words, depth)?))),
        Token::Binary(Binary::Minus) => Ok(Expression::Unary(Unary::Minus, Box::new(unary(words, depth)?))),
        Token::Sign("(") => {
            let inside = binary(words, 0, depth)?;
            words.expect(")")?;
            Ok(inside)
        }
        Token::Root { of_item } => Ok(Expression::Path(Path { of_item, steps: steps(words, depth)? })),
        Token::Text(text) => constant(Node::Text(Cow::Owned(text))),
        Token::Number(number) => constant(match json_number(number) {
            Value::Number(number) => Node::Number(number),
            _ => Node::Null,
        }),
        Token::Name("true") => constant(Node::Bool(true)),
        Token::Name("false") => constant(Node::Bool(false)),
        Token::Name("null" | "undefined") => constant(Node::Null),
        Token::Name(_) => Err("has a word that is no path; paths begin with $, and texts stand in quotes".to_owned()),
        _ => Err("has a sign where a value should be".to_owned()),
    }
}

fn steps(words: &mut Words<'_>, depth: usize) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    // `$traits.email`, without the first dot.
    if let Some(Token::Name(name)) = words.peek() {
        steps.push(Step::Name((*name).to_owned()));
        words.place += 1;
    }
    while steps.len() <= STEPS_MAX {
        if words.take("..") {
            let step = if words.take("[") { in_brackets(words, depth)? } else { member(words)? };
            steps.push(Step::Below(Box::new(step)));
        } else if words.take(".") {
            steps.push(member(words)?);
        } else if words.take("[") {
            steps.push(in_brackets(words, depth)?);
        } else {
            return Ok(steps);
        }
    }
    Err(format!("has a path of more than {STEPS_MAX} steps"))
}

/// What stands behind a dot.
fn member(words: &mut Words<'_>) -> Result<Step, String> {
    match words.next() {
        Some(Token::Name(name)) => Ok(Step::Name(name.to_owned())),
        Some(Token::Text(name)) => Ok(Step::Name(name)),
        Some(Token::Sign("*")) => Ok(Step::All),
        Some(Token::Number(place)) => Ok(Step::Name(place.to_string())),
        _ => Err("has a dot without a name behind it".to_owned()),
    }
}

/// What stands in brackets, of which the first is read.
fn in_brackets(words: &mut Words<'_>, depth: usize) -> Result<Step, String> {
    let step = bracket(words, depth)?;
    words.expect("]")?;
    Ok(step)
}

fn bracket(words: &mut Words<'_>, depth: usize) -> Result<Step, String> {
    if words.take("*") {
        return Ok(Step::All);
    }
    if words.take("?") {
        return binary(words, 0, depth).map(Step::Filter);
    }
    if let Some(Token::Text(name)) = words.peek().cloned() {
        words.place += 1;
        let mut names = vec![name];
        while words.take(",") {
            match words.next() {
                Some(Token::Text(name)) if names.len() < STEPS_MAX => names.push(name),
                _ => return Err("has names in brackets without quotes".to_owned()),
            }
        }
        return Ok(if names.len() == 1 { Step::Name(names.remove(0)) } else { Step::Names(names) });
    }
    let from = place(words)?;
    if words.take(":") {
        return Ok(Step::Slice { from, to: place(words)? });
    }
    from.map(Step::Place).ok_or_else(|| "has brackets with neither a place nor a name in quotes".to_owned())
}

fn place(words: &mut Words<'_>) -> Result<Option<i64>, String> {
    let is_negative = matches!(words.peek(), Some(Token::Binary(Binary::Minus)));
    words.place += usize::from(is_negative);
    let Some(Token::Number(number)) = words.peek().cloned() else {
        return if is_negative { Err("has a minus without a number".to_owned()) } else { Ok(None) };
    };
    if number.fract() != 0.0 || number > 1e9 {
        return Err("has a place that is no whole number".to_owned());
    }
    words.place += 1;
    #[allow(clippy::cast_possible_truncation, reason = "it is whole and small")]
    let place = number as i64;
    Ok(Some(if is_negative { -place } else { place }))
}
