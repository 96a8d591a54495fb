//! Numbers, words and ids, the same in every run.

/// A random UUID, perhaps with a given tail of twelve characters.
pub fn uuid(random: &mut Random, tail: Option<&str>) -> String {
    let (high, low) = (random.next(), random.next());
    let tail = tail.map_or_else(|| format!("{:012x}", low & 0xFFFF_FFFF_FFFF), str::to_owned);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{tail}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFF,
        low >> 48 & 0x3FFF | 0x8000
    )
}

/// SplitMix64: enough for text, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A number below that one.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Something that could be a word.
    pub fn word(&mut self) -> String {
        const LETTERS: [&[u8]; 2] = [b"bcdfghjklmnprstvwz", b"aeiou"];
        let length = 3 + self.below(7);
        (0..length)
            .map(|at| LETTERS[(at % 2) as usize])
            .map(|set| char::from(set[self.below(set.len() as u64) as usize]))
            .collect()
    }

    /// Words, the first ones of the list more often, as in any language.
    pub fn text(&mut self, words: &[String], count: usize) -> String {
        let mut text = String::new();
        for _ in 0..count {
            if !text.is_empty() {
                text.push(' ');
            }
            let share = self.below(1 << 20) as f64 / f64::from(1 << 20);
            text.push_str(&words[(share * share * words.len() as f64) as usize]);
        }
        text
    }
}

/// The usual alphabet, with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let all = group.iter().chain([&0; 2]).take(3).fold(0u32, |all, byte| all << 8 | u32::from(*byte));
        for digit in 0..4 {
            let code = DIGITS[(all >> (18 - 6 * digit) & 63) as usize];
            out.push(if digit > group.len() as u32 as usize { '=' } else { char::from(code) });
        }
    }
    out
}
