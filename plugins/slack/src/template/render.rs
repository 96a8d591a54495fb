//! Writes a message: a template with the fields of an event.

use super::{Block, From, Part, Path, Writer};
use pintle_plugin_sdk::node::Node;
use std::borrow::Cow;

/// What a template's fields are looked up in.
#[derive(Debug)]
pub struct Scope<'n, 'a> {
    /// By these names first.
    pub named: Vec<(&'static str, &'n Node<'a>)>,
    /// Then as members of these objects.
    pub objects: Vec<&'n Node<'a>>,
}

/// Where `this` is.
enum Here<'r, 'n, 'a> {
    Root(&'r Scope<'n, 'a>),
    Node(&'n Node<'a>),
}

/// A block that has a `this` of its own.
struct Frame<'r, 'n, 'a> {
    here: Here<'r, 'n, 'a>,
    /// Of an `each`: the place, how many there are, and the member's name.
    item: Option<(usize, usize, &'n str)>,
}

/// What a path leads to.
enum Found<'n, 'a> {
    Nothing,
    Node(&'n Node<'a>),
    Text(Cow<'n, str>),
    Flag(bool),
}

/// Writes the parts of a template.
pub fn render(parts: &[Part], scope: &Scope<'_, '_>, to: &mut Writer) {
    let mut frames = vec![Frame { here: Here::Root(scope), item: None }];
    write(parts, &mut frames, to);
}

fn write<'r, 'n, 'a>(parts: &[Part], frames: &mut Vec<Frame<'r, 'n, 'a>>, to: &mut Writer) {
    for part in parts {
        if to.is_full() {
            return;
        }
        match part {
            Part::Text(text) => to.write(text),
            Part::Field { path, raw } => match (find(path, frames), raw) {
                (Found::Nothing, _) => {}
                (Found::Flag(yes), _) => to.write(if yes { "true" } else { "false" }),
                (Found::Text(text), true) => to.write(&text),
                (Found::Text(text), false) => to.escaped(&Node::Text(text)),
                (Found::Node(node), true) => to.raw(node),
                (Found::Node(node), false) => to.escaped(node),
            },
            Part::Block { kind, path, then, otherwise } => {
                block(*kind, find(path, frames), then, otherwise, frames, to)
            }
        }
    }
}

fn block<'r, 'n, 'a>(
    kind: Block,
    found: Found<'n, 'a>,
    then: &[Part],
    otherwise: &[Part],
    frames: &mut Vec<Frame<'r, 'n, 'a>>,
    to: &mut Writer,
) {
    let node = match found {
        Found::Node(node) => Some(node),
        _ => None,
    };
    let holds = match &found {
        Found::Nothing => false,
        Found::Node(node) => holds(node),
        Found::Text(text) => !text.is_empty(),
        Found::Flag(yes) => *yes,
    };
    match (kind, node) {
        (Block::If, _) => write(if holds { then } else { otherwise }, frames, to),
        (Block::Unless, _) => write(if holds { otherwise } else { then }, frames, to),
        (Block::Each, Some(Node::Object(members))) if !members.is_empty() => {
            each(members.iter().map(|(name, node)| (name.as_ref(), node)), then, frames, to);
        }
        (Block::Each | Block::Section, Some(Node::List(items))) if !items.is_empty() => {
            each(items.iter().map(|node| ("", node)), then, frames, to);
        }
        (Block::With, Some(node))
        | (Block::Section, Some(node @ (Node::Object(_) | Node::Text(_) | Node::Number(_))))
            if holds =>
        {
            inside(Frame { here: Here::Node(node), item: None }, then, frames, to);
        }
        (Block::Section, _) if holds => write(then, frames, to),
        _ => write(otherwise, frames, to),
    }
}

/// An empty list is nothing either, other than in JavaScript.
fn holds(node: &Node<'_>) -> bool {
    node.truthy() && !matches!(node, Node::List(items) if items.is_empty())
}

fn each<'r, 'n, 'a: 'n>(
    items: impl ExactSizeIterator<Item = (&'n str, &'n Node<'a>)>,
    then: &[Part],
    frames: &mut Vec<Frame<'r, 'n, 'a>>,
    to: &mut Writer,
) {
    let count = items.len();
    for (place, (name, node)) in items.enumerate() {
        inside(Frame { here: Here::Node(node), item: Some((place, count, name)) }, then, frames, to);
    }
}

fn inside<'r, 'n, 'a>(frame: Frame<'r, 'n, 'a>, then: &[Part], frames: &mut Vec<Frame<'r, 'n, 'a>>, to: &mut Writer) {
    frames.push(frame);
    write(then, frames, to);
    frames.pop();
}

fn find<'n, 'a>(path: &Path, frames: &[Frame<'_, 'n, 'a>]) -> Found<'n, 'a> {
    let item = || frames.iter().rev().find_map(|frame| frame.item);
    match path.from {
        From::Index => item().map_or(Found::Nothing, |(place, _, _)| Found::Text(place.to_string().into())),
        From::Key => item().map_or(Found::Nothing, |(place, _, name)| {
            Found::Text(if name.is_empty() { place.to_string().into() } else { name.into() })
        }),
        From::First => item().map_or(Found::Nothing, |(place, _, _)| Found::Flag(place == 0)),
        From::Last => item().map_or(Found::Nothing, |(place, count, _)| Found::Flag(place + 1 == count)),
        From::Root => frames.first().map_or(Found::Nothing, |frame| look(&frame.here, &path.steps)),
        From::Up(up) => {
            let frame = frames.len().checked_sub(up + 1).and_then(|place| frames.get(place));
            frame.map_or(Found::Nothing, |frame| look(&frame.here, &path.steps))
        }
    }
}

fn look<'n, 'a>(here: &Here<'_, 'n, 'a>, steps: &[String]) -> Found<'n, 'a> {
    let (start, steps) = match (here, steps) {
        (Here::Node(node), steps) => (Some(*node), steps),
        (Here::Root(_), []) => (None, steps),
        (Here::Root(scope), [first, rest @ ..]) => {
            let named = scope.named.iter().find(|(name, _)| name == first).map(|(_, node)| *node);
            let found = named.or_else(|| scope.objects.iter().find_map(|object| object.get(first)));
            // A message has no lines but those that its template breaks, and a form has one line only.
            if found.is_none() && rest.is_empty() && first == "newline" {
                return Found::Text("\n".into());
            }
            (found, rest)
        }
    };
    let found = start.and_then(|start| steps.iter().try_fold(start, |node, step| node.get(step)));
    found.filter(|node| **node != Node::Null).map_or(Found::Nothing, Found::Node)
}
