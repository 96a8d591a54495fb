//! The kinds of event.

use serde::{Deserialize, Serialize};

/// The `type` of an event. The numbers are stored in frames: never renumber them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Kind {
    /// Who the user is.
    Identify = 1,
    /// What the user did.
    Track = 2,
    /// A web page was seen.
    Page = 3,
    /// An app screen was seen.
    Screen = 4,
    /// The user belongs to an account.
    Group = 5,
    /// Two ids are the same user.
    Alias = 6,
    /// Two profiles are the same user, by any of their ids.
    Merge = 7,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Kind; 7] =
        [Kind::Identify, Kind::Track, Kind::Page, Kind::Screen, Kind::Group, Kind::Alias, Kind::Merge];

    /// The name as it stands in an event's `type` and in the gateway's paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Identify => "identify",
            Kind::Track => "track",
            Kind::Page => "page",
            Kind::Screen => "screen",
            Kind::Group => "group",
            Kind::Alias => "alias",
            Kind::Merge => "merge",
        }
    }

    /// The kind with this stored number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The kind with this name, exactly as written.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whether an event of this type may lack both ids: rows of a warehouse rather than deeds of a user.
#[must_use]
pub fn may_lack_ids(event_type: &str) -> bool {
    matches!(event_type, "record" | "extract")
}
