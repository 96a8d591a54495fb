//! An alias: `POST /users/merge`. The user of `userId` stays and gets what the other one has.

use crate::config::Config;
use pintle_plugin_sdk::Request;
use pintle_plugin_sdk::fields::Fields;
use serde::Serialize;
use std::borrow::Cow;

/// The body of a merge.
#[derive(Serialize)]
pub(crate) struct Merges<T> {
    pub merge_updates: Vec<T>,
}

#[derive(Serialize)]
struct Merge<'a> {
    identifier_to_merge: User<'a>,
    identifier_to_keep: User<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    external_id: Cow<'a, str>,
}

pub(crate) fn request(config: &Config, fields: &Fields<'_>) -> Result<Request, String> {
    let user = |path: &str, missing: &str| match fields.text(&[path]) {
        Some(external_id) => Ok(User { external_id }),
        None => Err(missing.to_owned()),
    };
    let identifier_to_keep = user("userId", "an alias needs a userId")?;
    let identifier_to_merge = user("previousId", "an alias needs a previousId")?;
    config.send("users/merge", &Merges { merge_updates: vec![Merge { identifier_to_merge, identifier_to_keep }] })
}
