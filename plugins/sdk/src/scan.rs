//! Where JSON values end, found sixteen bytes at a time.
//!
//! A mapping steps over most of an event. What it steps over was checked before it came here, and need not be
//! checked again: to find where a value ends, only quotes, backslashes, braces and brackets count, and a vector
//! instruction finds those of sixteen bytes at once. That halves what a component spends on looking into events.
//!
//! It is for components, where byte by byte is slow; elsewhere `serde_json` does the same ([`IS_FASTER`]). Text
//! that is no JSON is stepped over somehow, but never beyond its end.

/// Whether this is the faster way on the machine that it was compiled for.
pub(crate) const IS_FASTER: bool = cfg!(all(target_arch = "wasm32", target_feature = "simd128"));

const BLOCK_BYTES: usize = 16;

/// Which bytes of a block are of a kind: the first byte is the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Masks {
    quotes: u32,
    backslashes: u32,
    opens: u32,
    closes: u32,
}

/// Calls `each(key, value)` for the members of the object at `start`, both as they are spelt; returns where it
/// ends. Nothing if there is no object.
pub(crate) fn members<'a>(json: &'a str, start: usize, mut each: impl FnMut(&'a str, &'a str)) -> Option<usize> {
    let bytes = json.as_bytes();
    let mut at = after(bytes, start, b'{')?;
    if bytes.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(bytes, at)?;
        let value_start = after(bytes, skip_blank(bytes, key_end), b':')?;
        let value_end = value_end(bytes, value_start)?;
        each(json.get(at..key_end)?, json.get(value_start..value_end)?);
        at = skip_blank(bytes, value_end);
        match bytes.get(at)? {
            b',' => at = skip_blank(bytes, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Calls `each(start)` for the items of the list that the text is; each gives back where its item ends. Nothing if
/// it is no list.
pub(crate) fn items(json: &str, mut each: impl FnMut(usize) -> Option<usize>) -> Option<()> {
    let bytes = json.as_bytes();
    let mut at = after(bytes, skip_blank(bytes, 0), b'[')?;
    if bytes.get(at) == Some(&b']') {
        return (skip_blank(bytes, at + 1) == bytes.len()).then_some(());
    }
    loop {
        at = skip_blank(bytes, each(at)?);
        match bytes.get(at)? {
            b',' => at = skip_blank(bytes, at + 1),
            b']' => return (skip_blank(bytes, at + 1) == bytes.len()).then_some(()),
            _ => return None,
        }
    }
}

/// Where the value that begins at `start` ends.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => string_end(bytes, start),
        b'{' | b'[' => container_end(bytes, start),
        _ => {
            let rest = &bytes[start..];
            let length = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
            length.map_or(Some(bytes.len()), |length| (length > 0).then_some(start + length))
        }
    }
}

/// Where the string whose opening quote is at `start` ends.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        let masks = masks(&block(bytes, at));
        let ends = masks.quotes | masks.backslashes;
        if ends == 0 {
            at += BLOCK_BYTES;
            continue;
        }
        let place = ends.trailing_zeros();
        at += place as usize;
        if masks.quotes >> place & 1 == 1 {
            return Some(at + 1);
        }
        // What is escaped ends nothing.
        at += 2;
    }
    None
}

/// Where the object or list that begins at `start` ends.
fn container_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut depth = 0_u32;
    let mut in_string = false;
    while at < bytes.len() {
        let masks = masks(&block(bytes, at));
        // Up to a backslash it is known what is a string; then its end is looked for by itself.
        let known = masks.backslashes.trailing_zeros().min(BLOCK_BYTES as u32);
        let before = (1_u32 << known) - 1;
        let inside = inside(masks.quotes, in_string);
        let (opens, closes) = (masks.opens & !inside & before, masks.closes & !inside & before);
        if closes.count_ones() < depth {
            depth = depth + opens.count_ones() - closes.count_ones();
        } else {
            let mut left = opens | closes;
            while left != 0 {
                let place = left.trailing_zeros();
                left &= left - 1;
                if opens >> place & 1 == 1 {
                    depth += 1;
                } else {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + place as usize + 1);
                    }
                }
            }
        }
        if (known as usize) < BLOCK_BYTES {
            // Only strings have one. `string_end` begins behind a quote; here that is what precedes the backslash.
            at = string_end(bytes, (at + known as usize).checked_sub(1)?)?;
            in_string = false;
        } else {
            in_string = inside >> (BLOCK_BYTES - 1) & 1 == 1;
            at += BLOCK_BYTES;
        }
    }
    None
}

/// The bytes of a block that are inside of a string, its opening quote included and its closing one not.
fn inside(quotes: u32, in_string: bool) -> u32 {
    let mut odd = quotes;
    odd ^= odd << 1;
    odd ^= odd << 2;
    odd ^= odd << 4;
    odd ^= odd << 8;
    let all = (1 << BLOCK_BYTES) - 1;
    (if in_string { !odd } else { odd }) & all
}

/// Behind a byte that has to stand at a place, and behind the blanks after it.
fn after(bytes: &[u8], at: usize, expected: u8) -> Option<usize> {
    (bytes.get(at) == Some(&expected)).then(|| skip_blank(bytes, at + 1))
}

fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Sixteen bytes from `at` on; behind the end there are blanks.
#[inline]
fn block(bytes: &[u8], at: usize) -> [u8; BLOCK_BYTES] {
    match bytes.get(at..at + BLOCK_BYTES) {
        Some(block) => block.try_into().expect("it has that length"),
        None => {
            let mut block = [b' '; BLOCK_BYTES];
            let rest = &bytes[at..];
            block[..rest.len()].copy_from_slice(rest);
            block
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline]
fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    use core::arch::wasm32::{i8x16_bitmask, i8x16_eq, u8x16_splat, v128, v128_load, v128_or};
    // SAFETY: it is sixteen bytes long, and a load need not be aligned.
    let bytes = unsafe { v128_load(block.as_ptr().cast::<v128>()) };
    let are = |bytes, byte| u32::from(i8x16_bitmask(i8x16_eq(bytes, u8x16_splat(byte))));
    // Braces and brackets differ in one bit, which small letters have as well.
    let low = v128_or(bytes, u8x16_splat(0x20));
    Masks { quotes: are(bytes, b'"'), backslashes: are(bytes, b'\\'), opens: are(low, b'{'), closes: are(low, b'}') }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn masks(block: &[u8; BLOCK_BYTES]) -> Masks {
    let are = |is: fn(u8) -> bool| {
        let bits = block.iter().enumerate();
        bits.fold(0_u32, |mask, (place, byte)| mask | u32::from(is(*byte)) << place)
    };
    Masks {
        quotes: are(|byte| byte == b'"'),
        backslashes: are(|byte| byte == b'\\'),
        opens: are(|byte| byte | 0x20 == b'{'),
        closes: are(|byte| byte | 0x20 == b'}'),
    }
}

#[cfg(test)]
mod tests;
