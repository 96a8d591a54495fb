//! Users who were put on the suppression list after their events had come this far.

use pintle_events::sanitize;
use pintle_store::suppressions::Suppressions;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A payload, as far as it says whose it is.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    message: Message<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, rename = "userId")]
    user_id: Option<&'a RawValue>,
}

/// Whether nothing of this may be sent any more. It goes by the `userId` that the event has by now: where a
/// transformation has replaced it, it is not the user's any more. Costs nothing while the list is empty.
pub(super) fn is_suppressed(suppressions: &Suppressions, payload: &[u8]) -> bool {
    if suppressions.is_empty() {
        return false;
    }
    let Ok(Payload { message: Message { user_id: Some(value) } }) = serde_json::from_slice(payload) else {
        return false;
    };
    // A number is its own text, as at the gateway.
    let text = serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned());
    suppressions.contains(&sanitize::id(&text))
}
