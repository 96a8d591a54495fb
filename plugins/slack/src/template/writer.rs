//! The words of a message while they are written.

use pintle_plugin_sdk::node::Node;

/// Slack cuts what is longer (<https://docs.slack.dev/changelog/2018-truncating-really-long-messages>).
const BYTES_MAX: usize = 40_000;

/// A message's text, up to a length.
#[derive(Debug, Default)]
pub struct Writer(String);

impl Writer {
    /// Writes a text as it stands.
    pub fn write(&mut self, text: &str) {
        let room = BYTES_MAX.saturating_sub(self.0.len());
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
    }

    /// Writes a value so that no word of it is taken for markup
    /// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
    pub fn escaped(&mut self, node: &Node<'_>) {
        self.value(node, true);
    }

    /// Writes a value whose markup is meant.
    pub fn raw(&mut self, node: &Node<'_>) {
        self.value(node, false);
    }

    /// Writes a member of an object, as in `plan: pro `.
    pub fn member(&mut self, name: &str, value: &Node<'_>) {
        self.pair(name, value, true);
    }

    /// Whether more of it would be cut.
    pub fn is_full(&self) -> bool {
        self.0.len() >= BYTES_MAX
    }

    /// What was written.
    pub fn end(self) -> String {
        self.0
    }

    fn value(&mut self, node: &Node<'_>, escape: bool) {
        match node {
            Node::Null => {}
            Node::Object(members) => members.iter().for_each(|(name, value)| self.pair(name, value, escape)),
            Node::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        self.write(",");
                    }
                    self.word(item, escape);
                }
            }
            _ => self.word(node, escape),
        }
    }

    fn pair(&mut self, name: &str, value: &Node<'_>, escape: bool) {
        self.text(name, escape);
        self.write(": ");
        match value {
            Node::List(_) => self.value(value, escape),
            _ => self.word(value, escape),
        }
        self.write(" ");
    }

    /// A value within another: what has members is written as JSON.
    fn word(&mut self, node: &Node<'_>, escape: bool) {
        match node.scalar() {
            Some(text) => self.text(&text, escape),
            None => self.text(&node.json(), escape),
        }
    }

    fn text(&mut self, text: &str, escape: bool) {
        let mut rest = text;
        while let Some(place) = rest.find(['&', '<', '>']).filter(|_| escape) {
            self.write(&rest[..place]);
            self.write(match rest.as_bytes()[place] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                _ => "&gt;",
            });
            rest = &rest[place + 1..];
        }
        self.write(rest);
    }
}
