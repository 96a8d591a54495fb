//! What to take from an event: JSON paths (RFC 9535), constants, and what can be made of them.
//!
//! ```text
//!   $.traits.email || $.context.traits.email     the first that is something
//!   $.properties.products[*].sku                 a list
//!   $.properties.products[?(@.price > 10)].sku   of those alone
//!   $.traits.firstName + ' ' + $.traits.lastName texts joined
//!   'constant'   25   true   constant
//! ```

mod eval;
mod parse;
mod select;
mod tokens;

use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

pub use select::Match;

/// Expressions within expressions.
const DEPTH_MAX: usize = 32;

/// An expression that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// The same for every event.
    Constant(Node<'static>),
    /// A value of the event.
    Path(Path),
    /// `!a`, `-a`.
    Unary(Unary, Box<Expression>),
    /// `a || b`, `a + b`, `a == b`, ….
    Binary(Binary, Box<Expression>, Box<Expression>),
}

/// A path from the event, or from the item of a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    of_item: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Name(String),
    /// From the end when negative.
    Place(i64),
    Names(Vec<String>),
    All,
    Slice {
        from: Option<i64>,
        to: Option<i64>,
    },
    Filter(Expression),
    /// `..`: what this step finds in the value itself and in everything below.
    Below(Box<Step>),
}

/// A step of a path that names one place, or each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A member.
    Name(String),
    /// An item, counted from 0.
    Place(usize),
    /// `[*]` or `.*`.
    All,
}

/// Of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// Whether it is nothing.
    Not,
    /// The number below zero.
    Minus,
}

/// Of two values, as JavaScript has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Binary {
    Or,
    OrIfMissing,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    Plus,
    Minus,
    Times,
    Over,
}

impl Expression {
    /// Reads an expression. What has no sign of one is a constant text.
    ///
    /// # Errors
    /// What is wrong with it, without its words.
    pub fn parse(text: &str) -> Result<Expression, String> {
        let constant = || Expression::Constant(Node::Text(Cow::Owned(text.trim().to_owned())));
        match parse::expression(text) {
            // `2024-05` is a month, and no difference.
            Ok(read @ (Expression::Unary(..) | Expression::Binary(..))) if !read.has_path() => match &read {
                Expression::Unary(Unary::Minus, _) => Ok(read),
                _ => Ok(constant()),
            },
            Ok(read) => Ok(read),
            Err(_) if !is_meant_as_expression(text.trim()) => Ok(constant()),
            Err(wrong) => Err(wrong),
        }
    }

    /// The steps of a path that could be written to.
    ///
    /// # Errors
    /// When it is something else.
    pub fn path_of(text: &str) -> Result<Vec<Key>, String> {
        const WRONG: &str = "must be a path of names, places and [*], as in $.user.id";
        let Expression::Path(Path { of_item: false, steps }) = parse::expression(text)? else {
            return Err(WRONG.to_owned());
        };
        let key = |step| match step {
            Step::Name(name) => Ok(Key::Name(name)),
            Step::Place(place) => usize::try_from(place).map(Key::Place).map_err(|_| WRONG.to_owned()),
            Step::All => Ok(Key::All),
            _ => Err(WRONG.to_owned()),
        };
        steps.into_iter().map(key).collect()
    }

    /// Its value for an event; nothing when the event has none, or `null`.
    #[must_use]
    pub fn value<'n, 'a>(&'n self, event: &'n Node<'a>) -> Option<Cow<'n, Node<'a>>> {
        eval::eval(self, event, event).filter(|value| **value != Node::Null)
    }

    /// The values of a path that leads to several, each with its places; nothing for other expressions.
    #[must_use]
    pub fn matches<'n, 'a>(&'n self, event: &'n Node<'a>) -> Option<Vec<Match<'n, 'a>>> {
        match self {
            Expression::Path(path) if path.is_plural() => Some(select::select(path, event, event)),
            _ => None,
        }
    }

    /// Whether events matter to it.
    #[must_use]
    pub fn has_path(&self) -> bool {
        match self {
            Expression::Constant(_) => false,
            Expression::Path(_) => true,
            Expression::Unary(_, of) => of.has_path(),
            Expression::Binary(_, left, right) => left.has_path() || right.has_path(),
        }
    }
}

fn is_meant_as_expression(text: &str) -> bool {
    text.starts_with(['\'', '"', '(', '[', '{']) || ["$", "||", "&&", "??"].iter().any(|sign| text.contains(sign))
}

impl Path {
    fn is_plural(&self) -> bool {
        !self.steps.iter().all(|step| matches!(step, Step::Name(_) | Step::Place(_)))
    }
}

#[cfg(test)]
mod tests;
