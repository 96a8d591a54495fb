//! The configuration, with the keys that RudderStack's Mixpanel destination has.

use crate::bulk::Endpoint;
use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::encode::basic_auth;
use pintle_plugin_sdk::placeholders::Template;
use pintle_plugin_sdk::settings::Settings;
use serde_json::Value;

/// How pages or screens are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Naming {
    /// All of them alike.
    Same(&'static str),
    /// By a text of the user's, with fields of the event in it.
    Template(Template),
}

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The project's token: `token`.
    pub token: String,
    /// Where events go: `dataResidency`, `token`, `strictMode`.
    pub import: Endpoint,
    /// Where changes of user profiles go.
    pub engage: Endpoint,
    /// Where changes of group profiles go.
    pub groups: Endpoint,
    /// Whether the project has Mixpanel's simplified merging of ids and not the original one: `identityMergeApi`.
    pub simplified: bool,
    /// Whether names of people are `$first_name` and `$last_name`, as Mixpanel shows them: `useNewMapping`.
    pub new_names: bool,
    /// Whether events carry the person's traits, unless `dropTraitsInTrackEvent`.
    pub traits_in_events: bool,
    /// How pages are named: `useUserDefinedPageEventName`, `userDefinedPageEventTemplate`.
    pub pages: Naming,
    /// How screens are named: `useUserDefinedScreenEventName`, `userDefinedScreenEventTemplate`.
    pub screens: Naming,
    /// Changes of profiles other than `$set`, each with the traits that it takes: `setOnceProperties`,
    /// `unionProperties`, `appendProperties`.
    pub changes: [(&'static str, Vec<String>); 3],
    /// Properties of events that are counted in the profile: `propIncrements`.
    pub increments: Vec<String>,
    /// Keys of groups: `groupKeySettings`.
    pub group_keys: Vec<String>,
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once. Unknown keys are ignored.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        let mut settings = Settings::of(config);
        let token = settings.required("token", "the token of the project in Mixpanel");
        let hosts = [
            ("us", "https://api.mixpanel.com"),
            ("eu", "https://api-eu.mixpanel.com"),
            ("in", "https://api-in.mixpanel.com"),
        ];
        let host = settings.choice("dataResidency", &hosts, hosts[0].1);
        let strict = if settings.flag("strictMode", false) { "1" } else { "0" };
        let verbose = ("verbose", "2");
        let pages = ("useUserDefinedPageEventName", "userDefinedPageEventTemplate");
        let screens = ("useUserDefinedScreenEventName", "userDefinedScreenEventTemplate");
        let read = Config {
            // The token is the user of HTTP's basic authentication, without a password.
            import: Endpoint::new(host, "import", ("strict", strict), Some(basic_auth(&token, "")), 2000),
            engage: Endpoint::new(host, "engage", verbose, None, 200),
            groups: Endpoint::new(host, "groups", verbose, None, 200),
            token,
            simplified: settings.choice("identityMergeApi", &[("original", false), ("simplified", true)], false),
            new_names: settings.flag("useNewMapping", false),
            traits_in_events: !settings.flag("dropTraitsInTrackEvent", false),
            pages: naming(&mut settings, pages, "Loaded a Page"),
            screens: naming(&mut settings, screens, "Loaded a Screen"),
            changes: [
                ("$set_once", settings.list("setOnceProperties", "property")),
                ("$union", settings.list("unionProperties", "property")),
                ("$append", settings.list("appendProperties", "property")),
            ],
            increments: settings.list("propIncrements", "property"),
            group_keys: settings.list("groupKeySettings", "groupKey"),
        };
        settings.end(read)
    }
}

fn naming(settings: &mut Settings<'_>, (switch, template): (&str, &str), same: &'static str) -> Naming {
    let template = settings.text(template);
    match settings.flag(switch, false) {
        true => Naming::Template(Template::of(&template)),
        false => Naming::Same(same),
    }
}

#[cfg(test)]
mod tests;
