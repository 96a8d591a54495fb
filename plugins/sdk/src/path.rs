//! Paths to fields, taken apart.

/// The names of a path, as `split('.')` gives them. Paths are short and there are many of them for each event: the
/// general search for a character takes longer to begin than to find it.
#[derive(Clone, Debug)]
pub(crate) struct Steps<'p>(Option<&'p str>);

/// The names of a path.
pub(crate) fn steps(path: &str) -> Steps<'_> {
    Steps(Some(path))
}

impl<'p> Iterator for Steps<'p> {
    type Item = &'p str;

    fn next(&mut self) -> Option<&'p str> {
        let rest = self.0?;
        match rest.bytes().position(|byte| byte == b'.') {
            Some(place) => {
                self.0 = Some(&rest[place + 1..]);
                Some(&rest[..place])
            }
            None => self.0.take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn a_path_is_taken_apart_as_by_split() {
        for path in ["", ".", "a", "a.b", "a..b", ".a", "a.", "traits.address.città", "properties.products.0.sku"] {
            assert_eq!(steps(path).collect::<Vec<_>>(), path.split('.').collect::<Vec<_>>(), "{path:?}");
        }
    }
}
