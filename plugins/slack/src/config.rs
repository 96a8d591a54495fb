//! The configuration, with the keys that RudderStack's Slack destination has.

use crate::rules::Rules;
use crate::template::Template;
use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::http::check_url;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::settings::Settings;

const DEFAULT_EVENT_TEMPLATE: &str = "{{name}} did {{event}}";
const DEFAULT_USERNAME: &str = "RudderStack";
const DEFAULT_ICON: &str = "https://cdn.rudderlabs.com/rudderstack.png";

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where messages go that have no address of their own: `webhookUrl`.
    pub url: String,
    /// Who messages are from, where Slack lets us say so: `username` and `iconUrl`.
    pub username: String,
    /// See `username`.
    pub icon_url: String,
    /// Where the messages of some events go: `eventChannelSettings`.
    pub channels: Rules<Channel>,
    /// The words of identify messages: `identifyTemplate`; without it a list of traits.
    pub identify: Option<Template>,
    /// The words of some events' messages: `eventTemplateSettings`.
    pub events: Rules<Template>,
    /// The words of all other events' messages.
    pub event: Template,
    /// The traits that lists of traits are made of: `whitelistedTraitsSettings`; all when empty.
    pub allowed_traits: Vec<String>,
    /// Events that are not told: `denyListOfEvents`.
    pub denied_events: Vec<String>,
}

/// Where an event's messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A channel or a user, `#orders` or `@ada`: what webhooks of Slack's legacy kind let a message choose.
    Named(String),
    /// The webhook of another channel: webhooks of the modern kind write to one channel only.
    Webhook(String),
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        let mut settings = Settings::of(config);
        let url = settings.required("webhookUrl", "the address of an incoming webhook");
        if !url.is_empty()
            && let Err(wrong) = check_url(&url)
        {
            settings.wrong("webhookUrl", wrong);
        }
        let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
        let username = or(settings.text("username"), DEFAULT_USERNAME);
        let icon_url = or(settings.text("iconUrl"), DEFAULT_ICON);
        let modern = settings.choice("incomingWebhooksType", &[("legacy", false), ("modern", true)], false);
        let channels = channels(&mut settings, modern);
        let identify = identify(&mut settings);
        let events = events(&mut settings);
        let event = Template::parse(DEFAULT_EVENT_TEMPLATE).unwrap_or_default();
        let allowed_traits = settings.list("whitelistedTraitsSettings", "trait");
        let denied_events = settings.list("denyListOfEvents", "eventName");
        settings.end(Config {
            url,
            username,
            icon_url,
            channels,
            identify,
            events,
            event,
            allowed_traits,
            denied_events,
        })
    }
}

fn channels(settings: &mut Settings<'_>, modern: bool) -> Rules<Channel> {
    const KEY: &str = "eventChannelSettings";
    let mut rules = Rules::default();
    for (place, row) in settings.rows(KEY).iter().enumerate() {
        let to = text(row, if modern { "eventChannelWebhook" } else { "eventChannel" });
        // Forms leave empty rows, and the column of the other kind of webhook.
        if to.is_empty() {
            continue;
        }
        if modern && let Err(wrong) = check_url(to) {
            settings.wrong(&format!("{KEY}/{place}/eventChannelWebhook"), wrong);
            continue;
        }
        let to = if modern { Channel::Webhook(to.to_owned()) } else { Channel::Named(to.to_owned()) };
        add(&mut rules, settings, KEY, place, row, to);
    }
    rules
}

fn identify(settings: &mut Settings<'_>) -> Option<Template> {
    const KEY: &str = "identifyTemplate";
    // Not `text`, which would cut the white space that a template may begin and end with.
    let text = settings.get(KEY)?;
    let Some(text) = text.as_str() else {
        settings.wrong(KEY, "must be a text");
        return None;
    };
    if text.trim().is_empty() {
        return None;
    }
    Template::parse(text).map_err(|wrong| settings.wrong(KEY, &wrong)).ok()
}

fn events(settings: &mut Settings<'_>) -> Rules<Template> {
    const KEY: &str = "eventTemplateSettings";
    let mut rules = Rules::default();
    for (place, row) in settings.rows(KEY).iter().enumerate() {
        let template = row.get("eventTemplate").and_then(Value::as_str).unwrap_or_default();
        if template.trim().is_empty() {
            continue;
        }
        match Template::parse(template) {
            Ok(template) => add(&mut rules, settings, KEY, place, row, template),
            Err(wrong) => settings.wrong(&format!("{KEY}/{place}/eventTemplate"), &wrong),
        }
    }
    rules
}

/// Adds the rule of a row; a row without an event's name is none.
fn add<T>(rules: &mut Rules<T>, settings: &mut Settings<'_>, key: &str, place: usize, row: &Value, to: T) {
    let name = text(row, "eventName");
    if name.is_empty() {
        return;
    }
    let is_pattern = match row.get("eventRegex") {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::String(yes)) => yes.eq_ignore_ascii_case("true"),
        _ => false,
    };
    if let Err(wrong) = rules.add(name, is_pattern, to) {
        settings.wrong(&format!("{key}/{place}/eventName"), &format!("is no regular expression: {wrong}"));
    }
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default().trim()
}
