//! An alias: `POST /v1/merge_customers`. The person of `userId` stays and gets what the other one has.

use crate::config::Config;
use pintle_plugin_sdk::fields::Fields;
use pintle_plugin_sdk::{Method, Request};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What names a person in a body.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Identifier<'a> {
    /// Their email address.
    #[serde(borrow)]
    Email(Cow<'a, str>),
    /// Their ID.
    #[serde(borrow)]
    Id(Cow<'a, str>),
}

impl<'a> Identifier<'a> {
    /// An ID that looks like an email address is one.
    pub(crate) fn of(id: Cow<'a, str>) -> Identifier<'a> {
        if is_email(&id) { Identifier::Email(id) } else { Identifier::Id(id) }
    }
}

/// The body of a merge.
#[derive(Deserialize, Serialize)]
pub(crate) struct Merge<'a> {
    #[serde(borrow)]
    pub primary: Identifier<'a>,
    #[serde(borrow)]
    pub secondary: Identifier<'a>,
}

pub(crate) fn request(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let primary = fields.text(&["userId"]).ok_or("an alias needs a userId")?;
    let secondary = fields.text(&["previousId"]).ok_or("an alias needs a previousId")?;
    let merge = Merge { primary: Identifier::of(primary), secondary: Identifier::of(secondary) };
    config.send(Method::Post, "v1/merge_customers", &merge)
}

/// Whether a text has the form of an email address: one `@`, and a dot behind it.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let inner = domain.trim_matches('.');
    !local.is_empty()
        && inner.len() == domain.len()
        && inner.contains('.')
        && !text.contains(|c: char| c.is_whitespace() || "<>()[],;:\\\"".contains(c))
        && !domain.contains('@')
}
