//! Track events as a browser's SDK sends them: about 1.1 KB, random where real ones are.

mod commerce;
mod random;

pub use commerce::completed;
use random::{Random, base64, uuid};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Different events in the pool: 18 MB, far beyond what a compressor remembers between two of its uses.
const POOL: usize = 16_384;
/// Different users among them.
const USERS: u64 = 100_000;
/// Different words in texts.
const WORDS: usize = 8_192;
/// Hex digits of each message id that are written anew for each use.
const ID_DIGITS: usize = 12;
/// Digits of the time of sending.
const TIME_DIGITS: usize = 19;
/// What stands before the time of sending.
pub const TIME_FIELD: &[u8] = br#""sentAtNs":""#;
/// Stands where the digits of a message id will.
const ID_PLACE: &str = "############";
const TIME_PLACE: &str = "0000000000000000000";

/// Numbers the events of this run, whatever bench they belong to.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Bytes with events in them, whose ids and times are written at each use.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    ids: Vec<usize>,
    times: Vec<usize>,
}

impl Template {
    /// `bytes` with what [`Pool`] has put in.
    pub fn new(bytes: Vec<u8>) -> Template {
        let ids = places(&bytes, ID_PLACE.as_bytes(), 0);
        let times = places(&bytes, TIME_FIELD, TIME_FIELD.len());
        Template { bytes, ids, times }
    }

    /// How many events it holds.
    pub fn events(&self) -> usize {
        self.ids.len()
    }

    /// Writes it to `out` with ids that were never used before.
    pub fn render(&self, out: &mut Vec<u8>, sent_ns: u64) {
        // Odd, so that different numbers stay different below 2^48; large, so that ids do not look alike.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        out.clear();
        out.extend_from_slice(&self.bytes);
        let first = NEXT.fetch_add(self.ids.len() as u64, Ordering::Relaxed);
        for (number, at) in self.ids.iter().enumerate() {
            let id = (first + number as u64).wrapping_mul(SPREAD) & 0xFFFF_FFFF_FFFF;
            hex(&mut out[*at..*at + ID_DIGITS], id);
        }
        for at in &self.times {
            decimal(&mut out[*at..*at + TIME_DIGITS], sent_ns);
        }
    }
}

/// The events, the same in every run.
#[derive(Debug)]
pub struct Pool {
    events: Vec<String>,
}

impl Pool {
    /// Makes them.
    pub fn new() -> Pool {
        let mut random = Random(0x5049_4E54_4C45);
        let words: Vec<String> = (0..WORDS).map(|_| random.word()).collect();
        Pool { events: (0..POOL).map(|_| event(&mut random, &words)).collect() }
    }

    /// The mean length of an event.
    pub fn mean_bytes(&self) -> f64 {
        self.events.iter().map(String::len).sum::<usize>() as f64 / self.events.len() as f64
    }

    /// One request per event.
    pub fn singles(&self, write_key: &str) -> Vec<Template> {
        self.spread(&[write_key.to_owned()])
    }

    /// One request per event, the keys taking turns.
    pub fn spread(&self, write_keys: &[String]) -> Vec<Template> {
        let keyed = self.events.iter().zip(write_keys.iter().cycle());
        keyed.map(|(event, write_key)| request("/v1/track", write_key, event)).collect()
    }

    /// One request per `size` events, as SDKs batch them.
    pub fn batches(&self, write_key: &str, size: usize) -> Vec<Template> {
        let body =
            |events: &[String]| format!(r#"{{"batch":[{}],"sentAt":"2026-03-01T12:00:00.000Z"}}"#, events.join(","));
        self.events.chunks_exact(size).map(|events| request("/v1/batch", write_key, &body(events))).collect()
    }

    /// Writes them to a file, one a line, for the baselines.
    pub fn write(&self, path: &std::path::Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        let mut line = Vec::new();
        for event in &self.events {
            Template::new(event.clone().into_bytes()).render(&mut line, 0);
            line.push(b'\n');
            file.write_all(&line)?;
        }
        file.flush()
    }
}

fn request(path: &str, write_key: &str, body: &str) -> Template {
    let key = base64(format!("{write_key}:").as_bytes());
    let length = body.len();
    Template::new(
        format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes(),
    )
}

fn event(random: &mut Random, words: &[String]) -> String {
    const NAMES: [&str; 8] = [
        "Product Viewed",
        "Product Added",
        "Cart Viewed",
        "Checkout Started",
        "Order Completed",
        "Products Searched",
        "Coupon Applied",
        "Page Scrolled",
    ];
    const AGENTS: [&str; 4] = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0",
        "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Mobile Safari/537.36",
    ];
    const SCREENS: [(u32, u32); 4] = [(1920, 1080), (1440, 900), (390, 844), (412, 915)];
    let user = random.below(USERS);
    // The same user has the same ids in every event of theirs.
    let mut of_user = Random(user.wrapping_mul(0xD134_2543_DE82_EF95) + 1);
    let anonymous = uuid(&mut of_user, None);
    let (first, last) =
        (words[of_user.below(WORDS as u64) as usize].as_str(), words[of_user.below(WORDS as u64) as usize].as_str());
    let agent = AGENTS[of_user.below(4) as usize];
    let ip = of_user.next().to_be_bytes();
    let message = uuid(random, Some(ID_PLACE));
    let time = format!(
        "2026-03-01T{:02}:{:02}:{:02}.{:03}Z",
        random.below(24),
        random.below(60),
        random.below(60),
        random.below(1000)
    );
    let name = NAMES[random.below(NAMES.len() as u64) as usize];
    let path =
        format!("/{}/{}-{}", random.text(words, 1), random.text(words, 2).replace(' ', "-"), random.below(1_000_000));
    let click: Vec<u8> = (0..5).flat_map(|_| random.next().to_be_bytes()).collect();
    let click = base64(&click);
    let session = 1_772_366_400_000 + random.below(86_400_000);
    let cart = u128::from(random.next()) << 64 | u128::from(random.next());
    let (width, height) = SCREENS[of_user.below(4) as usize];
    let (title, text) = (random.text(words, 5), random.text(words, 12));
    let (price, quantity, order) = (random.below(100_000) as f64 / 100.0, random.below(9) + 1, random.next() >> 20);
    let user_id = 10_000_000 + user * 7;
    let [a, b, c, d, ..] = ip;
    format!(
        r#"{{"type":"track","channel":"web","event":"{name}","messageId":"{message}","anonymousId":"{anonymous}","userId":"{user_id}","originalTimestamp":"{time}","sentAtNs":"{TIME_PLACE}","context":{{"library":{{"name":"RudderLabs JavaScript SDK","version":"3.20.1"}},"locale":"en-US","ip":"{a}.{b}.{c}.{d}","userAgent":"{agent}","sessionId":{session},"page":{{"path":"{path}","url":"https://shop.example.com{path}?gclid={click}","title":"{title}"}},"screen":{{"width":{width},"height":{height}}},"traits":{{"email":"{first}.{last}@example.com"}}}},"properties":{{"order_id":"{order:x}","sku":"{first}-{quantity}","price":{price},"quantity":{quantity},"currency":"EUR","cart":"{cart:032x}","email":"{first}.{last}@example.com","note":"{text}"}}}}"#,
    )
}

fn places(bytes: &[u8], needle: &[u8], behind: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes[at..].windows(needle.len()).position(|window| window == needle) {
        found.push(at + next + behind);
        at += next + needle.len();
    }
    found
}

fn hex(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

fn decimal(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}
