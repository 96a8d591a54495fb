//! What an expression comes to.

use super::{Binary, Expression, Unary, select};
use pintle_plugin_sdk::js::{json_number, number_of};
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::serde_json::Value;
use std::borrow::Cow;

/// Its value; nothing when a path leads nowhere.
pub fn eval<'n, 'a>(of: &'n Expression, event: &'n Node<'a>, item: &'n Node<'a>) -> Option<Cow<'n, Node<'a>>> {
    match of {
        Expression::Constant(node) => Some(Cow::Borrowed(node)),
        Expression::Path(path) if !path.is_plural() => select::one(path, event, item).map(Cow::Borrowed),
        Expression::Path(path) => {
            let found = select::select(path, event, item);
            let values: Vec<Node<'a>> = found.into_iter().map(|found| found.value.clone()).collect();
            (!values.is_empty()).then_some(Cow::Owned(Node::List(values)))
        }
        Expression::Unary(Unary::Not, of) => {
            let holds = eval(of, event, item).is_some_and(|value| value.truthy());
            Some(Cow::Owned(Node::Bool(!holds)))
        }
        Expression::Unary(Unary::Minus, of) => numeric(-number(eval(of, event, item).as_deref())?),
        Expression::Binary(operator, left, right) => {
            let right = || eval(right, event, item);
            binary(*operator, eval(left, event, item), right)
        }
    }
}

fn binary<'n, 'a>(
    operator: Binary,
    left: Option<Cow<'n, Node<'a>>>,
    right: impl FnOnce() -> Option<Cow<'n, Node<'a>>>,
) -> Option<Cow<'n, Node<'a>>> {
    let holds = left.as_deref().is_some_and(Node::truthy);
    let flag = |yes| Some(Cow::Owned(Node::Bool(yes)));
    match operator {
        Binary::Or => {
            if holds {
                left
            } else {
                right()
            }
        }
        Binary::And => {
            if holds {
                right()
            } else {
                left
            }
        }
        Binary::OrIfMissing => left.filter(|left| **left != Node::Null).or_else(right),
        Binary::Equal => flag(equal(left.as_deref(), right().as_deref())),
        Binary::NotEqual => flag(!equal(left.as_deref(), right().as_deref())),
        Binary::Plus => sum(left.as_deref()?, right().as_deref()?),
        Binary::Minus => numeric(number(left.as_deref())? - number(right().as_deref())?),
        Binary::Times => numeric(number(left.as_deref())? * number(right().as_deref())?),
        Binary::Over => numeric(number(left.as_deref())? / number(right().as_deref())?),
        Binary::Less | Binary::LessOrEqual | Binary::More | Binary::MoreOrEqual => {
            flag(compared(operator, left.as_deref(), right().as_deref()).unwrap_or(false))
        }
    }
}

/// A missing value and `null` are the same; a number and a text that spells it as well.
fn equal(left: Option<&Node<'_>>, right: Option<&Node<'_>>) -> bool {
    match (left.unwrap_or(&Node::Null), right.unwrap_or(&Node::Null)) {
        (left @ (Node::Number(_) | Node::Text(_)), right @ Node::Number(_))
        | (left @ Node::Number(_), right @ Node::Text(_)) => {
            number(Some(left)).is_some_and(|left| Some(left) == number(Some(right)))
        }
        (left, right) => left == right,
    }
}

fn compared(operator: Binary, left: Option<&Node<'_>>, right: Option<&Node<'_>>) -> Option<bool> {
    let order = match (left?, right?) {
        (Node::Text(left), Node::Text(right)) => left.cmp(right),
        (left, right) => number(Some(left))?.partial_cmp(&number(Some(right))?)?,
    };
    Some(match operator {
        Binary::Less => order.is_lt(),
        Binary::LessOrEqual => order.is_le(),
        Binary::More => order.is_gt(),
        _ => order.is_ge(),
    })
}

/// Numbers are added, anything else is joined as texts.
fn sum<'n, 'a>(left: &Node<'a>, right: &Node<'a>) -> Option<Cow<'n, Node<'a>>> {
    match (left, right) {
        (Node::Number(left), Node::Number(right)) => numeric(left.as_f64()? + right.as_f64()?),
        _ => Some(Cow::Owned(Node::Text(Cow::Owned(format!("{}{}", left.scalar()?, right.scalar()?))))),
    }
}

fn number(node: Option<&Node<'_>>) -> Option<f64> {
    match node? {
        Node::Number(number) => number.as_f64(),
        Node::Text(text) if !text.trim().is_empty() => number_of(text),
        Node::Bool(yes) => Some(f64::from(u8::from(*yes))),
        _ => None,
    }
}

fn numeric<'n, 'a>(number: f64) -> Option<Cow<'n, Node<'a>>> {
    match json_number(number) {
        Value::Number(number) => Some(Cow::Owned(Node::Number(number))),
        _ => None,
    }
}
