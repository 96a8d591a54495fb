//! Who did it, normalised and hashed as Meta matches people:
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters>.

use crate::config::Config;
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::hashing::{is_sha256, normalised, phone_digits, sha256};
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::times::{iso, millis_of};
use std::borrow::Cow;

/// Traits of the user, wherever an event carries them.
const TRAITS: [&str; 2] = ["traits", "context.traits"];

/// What is known of the user. `hashed`: whether the event says that its traits have been hashed before.
pub fn of<'a>(config: &Config, event: &'a Node<'_>, time_ms: i64, hashed: bool) -> Entries<'a> {
    let traits = TRAITS.map(|path| event.at(path));
    let trait_of = |names: &[&str]| traits.iter().flatten().find_map(|traits| traits.text(names));
    let person = |names: &[&str], normalise: fn(&str) -> String| {
        let value = trait_of(names)?;
        if hashed || is_sha256(&value) {
            return Some(value.into_owned());
        }
        Some(normalise(&value)).filter(|value| !value.is_empty()).map(|value| sha256(&value))
    };
    let mut data = Entries::new();
    let mut put = |name: &'static str, value: Option<String>| data.set(name, value.map(Node::from));

    if config.sends_external_id {
        let id =
            event.text(&["userId"]).or_else(|| trait_of(&["userId", "id"])).or_else(|| event.text(&["anonymousId"]));
        put("external_id", id.map(|id| if hashed { id.into_owned() } else { sha256(&id) }));
    }
    put("em", person(&["email"], normalised));
    put("ph", person(&["phone"], phone_digits));
    put("ge", person(&["gender"], initial));
    put("db", person(&["birthday"], date));
    let (first, last) = names(config, &trait_of(&["name"]).unwrap_or_default(), hashed);
    put("fn", first.or_else(|| person(&["firstname", "firstName", "first_name"], normalised)));
    put("ln", last.or_else(|| person(&["lastname", "lastName", "last_name"], normalised)));
    put("ct", person(&["address.city", "city"], letters));
    put("st", person(&["address.state", "state"], letters));
    put("zp", person(&["address.zip", "address.postalCode", "zip", "postalCode"], zip));
    put("country", person(&["address.country", "country"], letters));
    put("fbc", event.text(&["context.fbc", "properties.fbc"]).map(Cow::into_owned).or_else(|| click(event, time_ms)));

    let unhashed: [(&str, &[&str]); 6] = [
        ("client_ip_address", &["context.ip", "request_ip"]),
        ("client_user_agent", &["context.userAgent"]),
        ("fbp", &["context.fbp", "properties.fbp"]),
        ("subscription_id", &["context.subscription_id"]),
        ("lead_id", &["context.lead_id"]),
        ("fb_login_id", &["context.fb_login_id"]),
    ];
    for (name, paths) in unhashed {
        data.set(name, event.text(paths).map(Node::from));
    }
    data
}

/// The first and the last word of a full name, which has precedence over its parts.
fn names(config: &Config, name: &str, hashed: bool) -> (Option<String>, Option<String>) {
    let word = |word: &str| {
        let word = if config.normalizes_names { word.to_lowercase() } else { word.to_owned() };
        if hashed { word } else { sha256(&word) }
    };
    let mut words = name.split_whitespace();
    (words.next().map(word), words.next_back().map(word))
}

/// `f` or `m`.
fn initial(text: &str) -> String {
    normalised(text).chars().take(1).collect()
}

/// `19910526`; a text that is no date is taken as it is.
fn date(text: &str) -> String {
    let text = text.trim();
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    match millis_of(text) {
        Some(time) => iso(time).chars().take(10).filter(char::is_ascii_digit).collect(),
        None => normalised(text),
    }
}

/// Small letters and digits alone, of any alphabet: `St. John's` is `stjohns`.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Without blanks, and of `90210-1234`, as in the United States, the first five digits.
fn zip(text: &str) -> String {
    let text = normalised(text);
    let first = text.split('-').next().unwrap_or_default();
    let is_plus_four = first.len() == 5 && first.bytes().all(|byte| byte.is_ascii_digit());
    if is_plus_four { first.to_owned() } else { letters(&text) }
}

/// The click on an advertisement that led here, when the page's address tells but no cookie does:
/// <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/fbp-and-fbc>.
fn click(event: &Node<'_>, time_ms: i64) -> Option<String> {
    let url = event.text(&["context.page.url"])?;
    let query = url.split_once('?')?.1.split('#').next()?;
    let id = query.split('&').find_map(|pair| pair.strip_prefix("fbclid="))?;
    let seen_ms = event.text(&["originalTimestamp"]).and_then(|time| millis_of(&time)).unwrap_or(time_ms);
    (!id.is_empty()).then(|| format!("fb.1.{seen_ms}.{id}"))
}
