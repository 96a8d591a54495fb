//! How two versions differ in what they make of the same events.

use crate::views::trials::{DifferenceView, ErrorView, FieldCount, FieldDifference, ShadowView};
use serde_json::Value;
use std::collections::BTreeMap;

/// Events whose differences are listed one by one; the others are counted.
pub const DIFFERENCES_MAX: usize = 50;
/// Fields that are listed of one event.
pub const FIELDS_MAX: usize = 50;
/// Values that are longer than this, as JSON, are cut.
const VALUE_BYTES_MAX: usize = 1_000;

/// What one version made of one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// The events that go on.
    pub outputs: Vec<Value>,
    /// What went wrong.
    pub error: Option<ErrorView>,
}

impl ShadowView {
    /// Adds what both made of one event.
    pub fn add(&mut self, message_id: &str, live: &Side, candidate: &Side, fields: &mut BTreeMap<String, usize>) {
        self.events += 1;
        let (kind, error) = match (live, candidate) {
            (Side { error: None, .. }, Side { error: Some(error), .. }) => ("broken", Some(error.clone())),
            (Side { error: Some(error), .. }, Side { error: None, .. }) => ("mended", Some(error.clone())),
            (live, candidate) if live.outputs == candidate.outputs && same(&live.error, &candidate.error) => {
                self.same += 1;
                return;
            }
            (live, candidate) if !live.outputs.is_empty() && candidate.outputs.is_empty() => ("dropped", None),
            (live, candidate) if live.outputs.is_empty() && !candidate.outputs.is_empty() => ("kept", None),
            (_, candidate) => ("changed", candidate.error.clone()),
        };
        *match kind {
            "broken" => &mut self.broken,
            "mended" => &mut self.mended,
            "dropped" => &mut self.dropped,
            "kept" => &mut self.kept,
            _ => &mut self.changed,
        } += 1;
        let mut differing = Vec::new();
        if kind == "changed" {
            outputs(&live.outputs, &candidate.outputs, &mut differing);
            let mut paths: Vec<String> = differing.iter().map(|field| general(&field.path)).collect();
            paths.sort_unstable();
            paths.dedup();
            for path in paths {
                *fields.entry(path).or_default() += 1;
            }
        }
        if self.differences.len() < DIFFERENCES_MAX {
            differing.truncate(FIELDS_MAX);
            let (message_id, kind) = (message_id.to_owned(), kind.to_owned());
            self.differences.push(DifferenceView { message_id, kind, fields: differing, error });
        }
    }

    /// Puts the counts of fields in place, the most frequent first.
    pub fn finish(&mut self, fields: BTreeMap<String, usize>) {
        self.fields = fields.into_iter().map(|(path, events)| FieldCount { path, events }).collect();
        self.fields.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.path.cmp(&b.path)));
    }

    /// Whether the candidate does the same as the live version.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.same == self.events
    }
}

/// Positions move with every edit: two errors are the same when they say the same.
fn same(a: &Option<ErrorView>, b: &Option<ErrorView>) -> bool {
    a.as_ref().map(|error| &error.message) == b.as_ref().map(|error| &error.message)
}

fn outputs(live: &[Value], candidate: &[Value], differing: &mut Vec<FieldDifference>) {
    if live.len() == 1 && candidate.len() == 1 {
        return compare(Some(&live[0]), Some(&candidate[0]), &mut String::new(), differing);
    }
    for index in 0..live.len().max(candidate.len()) {
        compare(live.get(index), candidate.get(index), &mut format!("/{index}"), differing);
    }
}

fn compare(live: Option<&Value>, candidate: Option<&Value>, path: &mut String, differing: &mut Vec<FieldDifference>) {
    let length = path.len();
    match (live, candidate) {
        (Some(live), Some(candidate)) if live == candidate => {}
        (Some(Value::Object(live)), Some(Value::Object(candidate))) => {
            let added = candidate.keys().filter(|name| !live.contains_key(*name));
            for name in live.keys().chain(added) {
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                compare(live.get(name), candidate.get(name), path, differing);
                path.truncate(length);
            }
        }
        (Some(Value::Array(live)), Some(Value::Array(candidate))) => {
            for index in 0..live.len().max(candidate.len()) {
                path.push_str(&format!("/{index}"));
                compare(live.get(index), candidate.get(index), path, differing);
                path.truncate(length);
            }
        }
        (live, candidate) => {
            differing.push(FieldDifference { path: path.clone(), live: live.map(cut), candidate: candidate.map(cut) })
        }
    }
}

fn cut(value: &Value) -> Value {
    let mut text = value.to_string();
    if text.len() <= VALUE_BYTES_MAX {
        return value.clone();
    }
    text.truncate(text.floor_char_boundary(VALUE_BYTES_MAX));
    Value::String(format!("{text}…"))
}

/// The path with places in arrays written as `*`: so that the same field of many elements counts once.
fn general(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let is_place = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if is_place { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// As text for a terminal.
#[must_use]
pub fn text(view: &ShadowView) -> String {
    let mut out = headline(view);
    out.push('\n');
    for field in &view.fields {
        out.push_str(&format!("  {} in {}\n", field.path, events(field.events)));
    }
    for difference in &view.differences {
        out.push_str(&format!("\n{} {}\n", difference.message_id, difference.kind));
        if let Some(error) = &difference.error {
            out.push_str(&format!("  error: {}\n", one_line(&error.message)));
        }
        for field in &difference.fields {
            out.push_str(&format!("  {}: {} → {}\n", field.path, shown(&field.live), shown(&field.candidate)));
        }
    }
    out
}

/// As Markdown for a pull request.
#[must_use]
pub fn markdown(view: &ShadowView) -> String {
    let mut out = format!("### Shadow run of `{}`\n\n{}\n", view.transformation, headline(view));
    if !view.fields.is_empty() {
        out.push_str("\n| field | events |\n|---|---|\n");
        for field in &view.fields {
            out.push_str(&format!("| {} | {} |\n", cell(&field.path), field.events));
        }
    }
    if !view.differences.is_empty() {
        out.push_str(
            "\n<details><summary>Differences</summary>\n\n| event | field | live | candidate |\n|---|---|---|---|\n",
        );
        for difference in &view.differences {
            let event = cell(&difference.message_id);
            let what = difference.error.as_ref().map_or(String::new(), |error| cell(&error.message));
            if difference.fields.is_empty() {
                out.push_str(&format!("| {event} | {} |  | {what} |\n", difference.kind));
            }
            for field in &difference.fields {
                let (live, candidate) = (cell(&shown(&field.live)), cell(&shown(&field.candidate)));
                out.push_str(&format!("| {event} | {} | {live} | {candidate} |\n", cell(&field.path)));
            }
        }
        out.push_str("\n</details>\n");
    }
    out
}

fn headline(view: &ShadowView) -> String {
    let counts = [
        (view.changed, "changed"),
        (view.dropped, "dropped"),
        (view.kept, "kept"),
        (view.broken, "broken"),
        (view.mended, "mended"),
    ];
    let mut parts = vec![format!("{} the same", view.same)];
    parts.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")));
    format!(
        "version {} against live version {} over the last {} of connection {}: {} ({:.1} ms, live {:.1} ms)",
        view.candidate,
        view.live,
        events(view.events),
        view.connection,
        parts.join(", "),
        view.candidate_ms,
        view.live_ms
    )
}

fn events(count: usize) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

fn shown(value: &Option<Value>) -> String {
    value.as_ref().map_or("(nothing)".to_owned(), Value::to_string)
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// A text that cannot leave its cell of a Markdown table, nor become markup.
fn cell(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|").replace('`', "'");
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view() -> ShadowView {
        ShadowView {
            transformation: "tidy".into(),
            connection: "c".into(),
            live: "3".into(),
            candidate: "draft".into(),
            live_ms: 1.0,
            candidate_ms: 2.0,
            ..ShadowView::default()
        }
    }

    fn side(outputs: &[Value]) -> Side {
        Side { outputs: outputs.to_vec(), error: None }
    }

    fn failed(message: &str) -> Side {
        let error = ErrorView { message: message.into(), stack: None, line: None, column: None };
        Side { outputs: vec![], error: Some(error) }
    }

    fn compared() -> ShadowView {
        let (mut view, mut fields) = (view(), BTreeMap::new());
        let one = |a: Value| side(&[a]);
        view.add("m1", &one(json!({"a": 1})), &one(json!({"a": 1})), &mut fields);
        view.add(
            "m2",
            &one(json!({"a": 1, "l": [{"x": 1}, {"x": 2}]})),
            &one(json!({"b": 2, "l": [{"x": 3}, {"x": 4}]})),
            &mut fields,
        );
        view.add("m3", &one(json!({})), &side(&[]), &mut fields);
        view.add("m4", &side(&[]), &one(json!({})), &mut fields);
        view.add("m5", &one(json!({})), &failed("no | `x`"), &mut fields);
        view.add("m6", &failed("x"), &one(json!({})), &mut fields);
        view.add("m7", &failed("x"), &failed("x"), &mut fields);
        view.finish(fields);
        view
    }

    #[test]
    fn every_kind_of_difference_is_counted() {
        let view = compared();
        let counts = (view.events, view.same, view.changed, view.dropped, view.kept, view.broken, view.mended);
        assert_eq!(counts, (7, 2, 1, 1, 1, 1, 1));
        let fields: Vec<_> = view.fields.iter().map(|f| (f.path.as_str(), f.events)).collect();
        assert_eq!(fields, [("/a", 1), ("/b", 1), ("/l/*/x", 1)]);
        assert_eq!(
            view.differences[0].fields[0],
            FieldDifference { path: "/a".into(), live: Some(json!(1)), candidate: None }
        );
        assert!(!view.is_same());
    }

    #[test]
    fn the_text_says_what_differs() {
        let text = text(&compared());
        assert!(
            text.starts_with(
                "version draft against live version 3 over the last 7 events of connection c: 2 the same, 1 changed"
            ),
            "{text}"
        );
        assert!(text.contains("\nm2 changed\n  /a: 1 → (nothing)\n"), "{text}");
    }

    #[test]
    fn markdown_stays_in_its_cells() {
        let markdown = markdown(&compared());
        assert!(markdown.contains("| `m5` | broken |  | `no \\| 'x'` |\n"), "{markdown}");
        assert!(markdown.contains("| `/l/*/x` | 1 |\n"), "{markdown}");
    }
}
