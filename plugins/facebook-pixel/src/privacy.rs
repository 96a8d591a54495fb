//! Properties that name a person do not belong into an event's data, where Meta forbids them:
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/custom-data>.

use crate::config::Config;
use pintle_plugin_sdk::hashing::sha256;
use pintle_plugin_sdk::node::Node;

/// Properties that are dropped unless the configuration allows or hashes them.
const PERSONAL: [&str; 15] = [
    "email",
    "firstName",
    "lastName",
    "firstname",
    "lastname",
    "first_name",
    "last_name",
    "gender",
    "city",
    "country",
    "phone",
    "state",
    "zip",
    "postalCode",
    "birthday",
];

/// The value of a property as it may be sent; nothing when it may not. `hashed`: whether the event says that what
/// is personal in it has been hashed before.
pub fn guarded<'a>(config: &Config, name: &str, value: Node<'a>, hashed: bool) -> Option<Node<'a>> {
    if config.allowed.contains(name) {
        return Some(value);
    }
    match config.denied.get(name) {
        Some(true) if hashed => Some(value),
        Some(true) => Some(sha256(&value.scalar().unwrap_or_else(|| value.json().into())).into()),
        Some(false) => None,
        None => (!PERSONAL.contains(&name)).then_some(value),
    }
}
