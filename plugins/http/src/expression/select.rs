//! Follows a path to its values.

use super::{Path, Step, eval};
use pintle_plugin_sdk::node::Node;

/// Values that a path may lead to; more are left out.
const MATCHES_MAX: usize = 10_000;

/// A value that a path leads to, and the places of the items on the way, one for each step that picks several.
#[derive(Clone, Debug)]
pub struct Match<'n, 'a> {
    /// The places.
    pub places: Vec<usize>,
    /// The value.
    pub value: &'n Node<'a>,
}

/// The value of a path that leads to one.
pub fn one<'n, 'a>(path: &Path, event: &'n Node<'a>, item: &'n Node<'a>) -> Option<&'n Node<'a>> {
    let start = if path.of_item { item } else { event };
    path.steps.iter().try_fold(start, |node, step| match (step, node) {
        (Step::Name(name), _) => node.get(name),
        (Step::Place(place), Node::List(items)) => items.get(from_end(*place, items.len())?),
        _ => None,
    })
}

/// All values of a path, in order.
pub fn select<'n, 'a>(path: &Path, event: &'n Node<'a>, item: &'n Node<'a>) -> Vec<Match<'n, 'a>> {
    let start = if path.of_item { item } else { event };
    let mut found = vec![Match { places: Vec::new(), value: start }];
    for step in &path.steps {
        let mut next = Vec::new();
        for at in found {
            take(step, &at, event, &mut next);
            next.truncate(MATCHES_MAX);
        }
        found = next;
    }
    found
}

fn take<'n, 'a>(step: &Step, at: &Match<'n, 'a>, event: &'n Node<'a>, next: &mut Vec<Match<'n, 'a>>) {
    let node = at.value;
    let same = |value| Match { places: at.places.clone(), value };
    let item = |(place, value)| {
        let mut places = at.places.clone();
        places.push(place);
        Match { places, value }
    };
    match step {
        Step::Name(name) => next.extend(node.get(name).map(same)),
        Step::Place(place) => {
            let items = list(node);
            next.extend(from_end(*place, items.len()).and_then(|place| items.get(place)).map(same));
        }
        Step::Names(names) => next.extend(names.iter().filter_map(|name| node.get(name)).enumerate().map(item)),
        Step::All => next.extend(children(node).enumerate().map(item)),
        Step::Slice { from, to } => {
            let items = list(node);
            let end =
                |place: &Option<i64>, default| place.map_or(default, |place| from_end(place, items.len()).unwrap_or(0));
            let (from, to) = (end(from, 0), end(to, items.len()).min(items.len()));
            next.extend(items.get(from..to).unwrap_or_default().iter().enumerate().map(item));
        }
        Step::Filter(condition) => {
            let holds = |value: &&'n Node<'a>| eval::eval(condition, event, value).is_some_and(|value| value.truthy());
            next.extend(children(node).filter(holds).enumerate().map(item));
        }
        Step::Below(step) => {
            let (mut all, mut found) = (Vec::new(), Vec::new());
            below(node, &mut all);
            all.into_iter().for_each(|value| take(step, &same(value), event, &mut found));
            next.extend(found.into_iter().map(|found| found.value).enumerate().map(item));
        }
    }
}

/// Parsing has limited how deep it is.
fn below<'n, 'a>(node: &'n Node<'a>, all: &mut Vec<&'n Node<'a>>) {
    if all.len() < MATCHES_MAX {
        all.push(node);
        children(node).for_each(|child| below(child, all));
    }
}

fn children<'n, 'a>(node: &'n Node<'a>) -> impl Iterator<Item = &'n Node<'a>> {
    let members = match node {
        Node::Object(members) => members.as_slice(),
        _ => &[],
    };
    list(node).iter().chain(members.iter().map(|(_, value)| value))
}

fn list<'n, 'a>(node: &'n Node<'a>) -> &'n [Node<'a>] {
    match node {
        Node::List(items) => items,
        _ => &[],
    }
}

fn from_end(place: i64, count: usize) -> Option<usize> {
    match usize::try_from(place) {
        Ok(place) => Some(place),
        Err(_) => count.checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
    }
}
