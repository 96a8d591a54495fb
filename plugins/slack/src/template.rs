//! Message templates in the language of Handlebars (<https://handlebarsjs.com/guide/expressions.html>), as far as
//! messages need it: fields, `if`, `unless`, `each`, `with`, sections, comments and white space control.
//!
//! ```text
//!   text ──tokens──▶ texts and tags ──parse──▶ Template (once, in configure) ──render──▶ Writer
//! ```
//!
//! Otherwise than there, `&`, `<` and `>` alone are escaped, as Slack asks for, and an object is written as lines
//! of its members, so that `{{traits}}` says something.

mod parse;
mod render;
mod tokens;
mod writer;

pub use render::Scope;
pub use writer::Writer;

/// Blocks within blocks.
const DEPTH_MAX: usize = 32;

/// A template that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { path: Path, raw: bool },
    Block { kind: Block, path: Path, then: Vec<Part>, otherwise: Vec<Part> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    If,
    Unless,
    Each,
    With,
    /// `{{#field}}`: whichever of `each`, `with` and `if` its value asks for.
    Section,
}

/// Which value a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Path {
    from: From,
    steps: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// The block's own value, or that of a block around it.
    Up(usize),
    /// The message's.
    Root,
    /// Of the `each` around: the place, the member's name, whether it is the first, whether it is the last.
    Index,
    Key,
    First,
    Last,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, without its words.
    pub fn parse(text: &str) -> Result<Template, String> {
        parse::parse(tokens::tokens(text)?).map(Template)
    }

    /// Writes the message.
    pub fn write(&self, scope: &Scope<'_, '_>, to: &mut Writer) {
        render::render(&self.0, scope, to);
    }
}

#[cfg(test)]
mod tests;
