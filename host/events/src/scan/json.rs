//! Walking over JSON text (RFC 8259) without building anything and without recursion.

use super::Invalid;

/// A place in JSON text. Every method starts where the last one stopped.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// A string between its quotes, escapes still in it.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'a> {
    /// Cut out of text at quotes, so it is UTF-8. Checked again only where the text is wanted: few are.
    pub bytes: &'a [u8],
    pub has_escapes: bool,
}

impl<'a> Quoted<'a> {
    /// The text with its escapes.
    pub(super) fn escaped(self) -> &'a str {
        std::str::from_utf8(self.bytes).expect("a quote is never part of a longer character")
    }
}

/// What a value was, with the text of those that can be a field.
pub(super) enum Value<'a> {
    String(Quoted<'a>),
    Number(&'a str),
    Other,
}

type Result<T> = std::result::Result<T, Invalid>;

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The text from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    pub(super) fn error<T>(&self) -> Result<T> {
        Err(Invalid::Json { at: self.at })
    }

    /// The next byte that is not white space, not taken.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Takes the byte that [`Self::peek`] showed.
    #[inline]
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { self.error() }
    }

    /// Takes the opening brace of an object: true when a member follows, false when it was empty.
    #[inline]
    pub(super) fn open_object(&mut self) -> Result<bool> {
        self.bump();
        if self.peek() == Some(b'}') {
            self.bump();
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes a comma or the closing byte: true when another member or element follows.
    #[inline]
    pub(super) fn another(&mut self, close: u8) -> Result<bool> {
        match self.peek() {
            Some(b',') => {
                self.bump();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.bump();
                Ok(false)
            }
            _ => self.error(),
        }
    }

    /// Takes a member's name and the colon behind it.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Quoted<'a>> {
        if self.peek() != Some(b'"') {
            return self.error();
        }
        let name = self.string()?;
        if self.peek() != Some(b':') {
            return self.error();
        }
        self.bump();
        Ok(name)
    }

    /// Takes the value that begins at `start` once more, however deep it is: of what is in it, only strings and
    /// brackets are looked at.
    pub(super) fn skip(&mut self, start: usize) -> Result<()> {
        self.at = start;
        let mut depth = 0_usize;
        loop {
            match self.text.as_bytes().get(self.at) {
                None => return self.error(),
                Some(b'"') => drop(self.string()?),
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') => {
                    depth = depth.checked_sub(1).ok_or(Invalid::Json { at: self.at })?;
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Takes a value, whatever it is, of at most `depth_max` containers within each other.
    #[inline]
    pub(super) fn value(&mut self, depth_max: u8) -> Result<Value<'a>> {
        match self.peek() {
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                self.number()?;
                Ok(Value::Number(self.since(start)))
            }
            Some(b'{' | b'[') => self.container(depth_max).map(|()| Value::Other),
            _ => self.literal().map(|()| Value::Other),
        }
    }

    fn container(&mut self, depth_max: u8) -> Result<()> {
        let mut open = Nesting::default();
        'value: loop {
            match self.peek() {
                Some(byte @ (b'{' | b'[')) => {
                    if open.depth == depth_max {
                        return Err(Invalid::TooDeep { at: self.at });
                    }
                    self.bump();
                    let close = byte + 2; // In ASCII both closing brackets stand two behind the opening one.
                    if self.peek() == Some(close) {
                        self.bump();
                    } else {
                        open.push(byte == b'{');
                        if byte == b'{' {
                            self.name()?;
                        }
                        continue 'value;
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => self.literal()?,
            }
            while let Some(in_object) = open.top() {
                if self.another(if in_object { b'}' } else { b']' })? {
                    if in_object {
                        self.name()?;
                    }
                    continue 'value;
                }
                open.depth -= 1;
            }
            return Ok(());
        }
    }

    #[inline]
    fn string(&mut self) -> Result<Quoted<'a>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let end = plain_until(bytes, start);
        if bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Quoted { bytes: &bytes[start..end], has_escapes: false });
        }
        self.string_with_escapes(start, end)
    }

    /// The rest of a string from its first backslash, or from where it is broken.
    #[inline(never)]
    fn string_with_escapes(&mut self, start: usize, mut at: usize) -> Result<Quoted<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            at += match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'\\'), Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => 2,
                (Some(b'\\'), Some(b'u')) if is_hex(bytes.get(at + 2..at + 6)) => 6,
                (Some(b'"'), _) => break,
                _ => return Err(Invalid::Json { at }),
            };
            at = plain_until(bytes, at);
        }
        self.at = at + 1;
        Ok(Quoted { bytes: &bytes[start..at], has_escapes: true })
    }

    fn number(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let count = self.text.as_bytes()[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { self.error() } else { Ok(()) }
    }

    fn literal(&mut self) -> Result<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = match rest.first() {
            Some(b't') if rest.starts_with(b"true") => 4,
            Some(b'n') if rest.starts_with(b"null") => 4,
            Some(b'f') if rest.starts_with(b"false") => 5,
            _ => return self.error(),
        };
        self.at += length;
        Ok(())
    }
}

fn is_hex(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Which of the open containers are objects: one bit each, so that depth costs no allocation.
#[derive(Default)]
struct Nesting {
    objects: [u64; 4],
    depth: u8,
}

impl Nesting {
    #[inline]
    fn push(&mut self, object: bool) {
        let (word, bit) = (usize::from(self.depth / 64), self.depth % 64);
        self.objects[word] = self.objects[word] & !(1 << bit) | u64::from(object) << bit;
        self.depth += 1;
    }

    #[inline]
    fn top(&self) -> Option<bool> {
        let index = self.depth.checked_sub(1)?;
        Some(self.objects[usize::from(index / 64)] >> (index % 64) & 1 == 1)
    }
}

/// The first place at or after `at` with a quote, a backslash or a control character, or the end.
#[inline]
fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    while let Some((block, _)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) {
        if let Some(offset) = first_special(block) {
            return at + offset;
        }
        at += block.len();
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        at += 1;
    }
    at
}

/// Where a string may end within sixteen bytes. Most strings of an event are shorter than that: this is a
/// handful of instructions, where a call of `memchr` costs more than it saves and would still leave the
/// control characters to look for.
#[cfg(target_arch = "x86_64")]
#[inline]
fn first_special(block: &[u8; 16]) -> Option<usize> {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };
    // SAFETY: every x86-64 has SSE2, and the unaligned load reads exactly the sixteen bytes it was given.
    let hits = unsafe {
        let block = _mm_loadu_si128(block.as_ptr().cast());
        let control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
        let quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\' as i8));
        _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)))
    };
    (hits != 0).then(|| hits.trailing_zeros() as usize)
}

/// The same, byte by byte.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn first_special(block: &[u8; 16]) -> Option<usize> {
    block.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
}
