//! The configuration, with the keys that RudderStack's Amplitude destination has.

use crate::bulk::Upload;
use crate::naming::Naming;
use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::placeholders::Template;
use pintle_plugin_sdk::settings::Settings;
use serde_json::Value;

/// What is done to a user property, by the key of the list that names the traits.
const OPERATIONS: [(&str, &str); 4] = [
    ("traitsToIncrement", "$add"),
    ("traitsToSetOnce", "$setOnce"),
    ("traitsToAppend", "$append"),
    ("traitsToPrepend", "$prepend"),
];

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The project's key: `apiKey`.
    pub api_key: String,
    /// Where events go, and what stands around them there: `apiKey` and `residencyServer`.
    pub upload: Upload,
    /// Where properties of groups go.
    pub group_url: String,
    /// Where aliases go.
    pub alias_url: String,
    /// Which traits of a group call say its type and its value: `groupTypeTrait`, `groupValueTrait`.
    pub group_traits: Option<(String, String)>,
    /// Operations on user properties, each with the traits that it takes.
    pub operations: Vec<(&'static str, Vec<String>)>,
    /// How pages are named: `useUserDefinedPageEventName`, `userProvidedPageEventString`.
    pub pages: Naming,
    /// How screens are named: `useUserDefinedScreenEventName`, `userProvidedScreenEventString`.
    pub screens: Naming,
    /// Whether `device_brand` is the device's own brand and not its manufacturer: `mapDeviceBrand`.
    pub map_device_brand: bool,
    /// Whether the products of an order stay in its event: `trackProductsOnce`.
    pub products_once: bool,
    /// Whether the revenue of an order is counted by product: `trackRevenuePerProduct`.
    pub revenue_per_product: bool,
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once. Unknown keys are ignored.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        let mut settings = Settings::of(config);
        let api_key = settings.required("apiKey", "the API key of the project in Amplitude");
        let hosts = [("standard", "https://api2.amplitude.com"), ("EU", "https://api.eu.amplitude.com")];
        let host = settings.choice("residencyServer", &hosts, hosts[0].1);
        let trait_of = |settings: &mut Settings<'_>, key| Some(settings.text(key)).filter(|name| !name.is_empty());
        let (group_type, group_value) =
            (trait_of(&mut settings, "groupTypeTrait"), trait_of(&mut settings, "groupValueTrait"));
        let operations = OPERATIONS.iter().map(|(key, operation)| (*operation, settings.list(key, "traits"))).collect();
        let read = Config {
            upload: Upload::new(format!("{host}/2/httpapi"), &api_key),
            group_url: format!("{host}/groupidentify"),
            alias_url: format!("{host}/usermap"),
            api_key,
            group_traits: group_type.zip(group_value),
            operations,
            pages: naming(&mut settings, "Page", "useUserDefinedPageEventName", "userProvidedPageEventString"),
            screens: naming(&mut settings, "Screen", "useUserDefinedScreenEventName", "userProvidedScreenEventString"),
            map_device_brand: settings.flag("mapDeviceBrand", false),
            products_once: settings.flag("trackProductsOnce", false),
            revenue_per_product: settings.flag("trackRevenuePerProduct", false),
        };
        settings.end(read)
    }
}

fn naming(settings: &mut Settings<'_>, what: &'static str, switch: &str, template: &str) -> Naming {
    let template = Template::of(&settings.text(template));
    match settings.flag(switch, false) {
        false => Naming::Viewed(what),
        true if template.is_empty() => Naming::Own,
        true => Naming::Template(template),
    }
}

#[cfg(test)]
mod tests;
