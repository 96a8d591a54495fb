//! The app and the device of an event that happened in an app:
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/app-data>.

use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::node::Node;

/// What the places of `extinfo` behind the version are; an empty path is something that no event says.
const PLACES: [&str; 15] = [
    "context.app.namespace",
    "context.app.build",
    "context.app.version",
    "context.os.version",
    "context.device.model",
    "context.locale",
    "",
    "context.network.carrier",
    "context.screen.width",
    "context.screen.height",
    "context.screen.density",
    "",
    "",
    "",
    "context.timezone",
];

/// The data, which brings the device's advertising id to what is known of the user.
///
/// Nothing when the event does not say what Meta requires: the platform, its version, and whether tracking is
/// allowed.
pub fn of<'a>(event: &'a Node<'_>, user: &mut Entries<'a>) -> Option<Node<'a>> {
    let version = match event.text(&["context.device.type", "context.os.name"])?.to_lowercase().as_str() {
        "android" => "a2",
        "ios" | "ipados" => "i2",
        _ => return None,
    };
    let enabled = event.text(&["context.device.adTrackingEnabled"])? == "true";
    event.text(&["context.os.version"])?;
    for (name, path) in [("madid", "context.device.advertisingId"), ("anon_id", "anonymousId")] {
        user.set(name, event.text(&[path]).map(Node::from));
    }
    // An empty text stands for what is not known.
    let known = PLACES.into_iter().map(|path| Node::from(event.text(&[path]).unwrap_or_default()));
    let allowed = event.at("properties.application_tracking_enabled").cloned();
    let mut data = Entries::new();
    data.set("advertiser_tracking_enabled", Node::from(enabled));
    data.set("application_tracking_enabled", allowed.unwrap_or_else(|| enabled.into()));
    data.set("extinfo", Node::List(std::iter::once(version.into()).chain(known).collect()));
    Some(data.node())
}
