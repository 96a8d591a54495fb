//! Whose is what in a bulk request: a list of entries, with a line break behind those of each member.
//!
//! Braze names what it refuses by list and place, and an event may have an attribute, an event, several purchases,
//! or some of these. The request's bytes are all that is known when the answer comes; JSON does not mind line
//! breaks between entries, and what events bring along is inside of the entries.

/// A list that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    json: Vec<u8>,
    entries: usize,
}

impl Writer {
    /// An empty list.
    pub(crate) fn new() -> Writer {
        Writer { json: vec![b'['], entries: 0 }
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    /// Adds the entries of the next member, who may have none.
    pub(crate) fn add<'a>(&mut self, entries: impl IntoIterator<Item = &'a str>) {
        for entry in entries {
            if self.entries > 0 {
                self.json.push(b',');
            }
            self.json.extend_from_slice(entry.as_bytes());
            self.entries += 1;
        }
        self.json.push(b'\n');
    }

    /// The list as JSON.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.json.push(b']');
        self.json
    }
}

/// The member of each entry, and how many members there are; one without any mark.
pub(crate) fn read(list: &str) -> (Vec<usize>, usize) {
    let (mut owners, mut member, mut depth) = (Vec::new(), 0, 0_usize);
    let mut bytes = list.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                if depth == 1 {
                    owners.push(member);
                }
                depth += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'\n' if depth == 1 => member += 1,
            b'"' => skip_text(&mut bytes),
            _ => {}
        }
    }
    (owners, member.max(1))
}

fn skip_text(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_with_their_members() {
        let mut list = Writer::new();
        list.add([r#"{"a":"}\"\n","b":[{}]}"#]);
        list.add([]);
        list.add(["{\n\"c\":\n1}", "{}"]);
        assert_eq!(list.len(), 3);
        let json = String::from_utf8(list.end()).unwrap();
        assert!(serde_json::from_str::<Vec<serde_json::Value>>(&json).is_ok_and(|entries| entries.len() == 3));
        assert_eq!(read(&json), (vec![0, 2, 2], 3));
    }

    #[test]
    fn a_list_without_marks_is_one_members() {
        assert_eq!(read(r#"[{"a":1},{"b":2}]"#), (vec![0, 0], 1));
        assert_eq!(read("[]"), (vec![], 1));
    }
}
