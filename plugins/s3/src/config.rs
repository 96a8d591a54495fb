//! The configuration, with the keys that RudderStack's S3 destination has, and `endpoint`.

use pintle_plugin_sdk::Mistakes;
use pintle_plugin_sdk::http::check_url;
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::settings::Settings;

/// Bytes of a prefix: object keys have 1024, and the writer puts its own names behind.
const PREFIX_BYTES_MAX: usize = 512;

/// What records need of the configuration. The rest is checked here and used by the host's writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `bucketName`.
    pub bucket: String,
    /// `prefix`, without slashes around it.
    pub prefix: String,
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        let mut settings = Settings::of(config);
        // What an event becomes does not depend on it; the writer, which cannot do without, refuses its absence.
        let bucket = settings.text("bucketName");
        if !bucket.is_empty() && !is_bucket(&bucket) {
            settings.wrong("bucketName", "is no bucket's name: 3 to 63 letters, digits, dots, dashes and underlines");
        }
        let prefix = settings.text("prefix").trim_matches('/').to_owned();
        if prefix.len() > PREFIX_BYTES_MAX || prefix.chars().any(char::is_control) {
            settings.wrong("prefix", &format!("must have at most {PREFIX_BYTES_MAX} bytes and no control characters"));
        }
        settings.text("region");
        let endpoint = settings.text("endpoint");
        if let Some(path) = endpoint.strip_prefix("file://") {
            if !path.starts_with('/') {
                settings.wrong("endpoint", "must be written file:///path, with the path from the root");
            }
        } else if !endpoint.is_empty()
            && let Err(wrong) = check_url(&endpoint)
        {
            settings.wrong("endpoint", wrong);
        }
        settings.flag("enableSSE", false);
        keys(&mut settings);
        settings.end(Config { bucket, prefix })
    }
}

/// A key and its secret come together. Without both, and with a role, the host's own credentials count.
fn keys(settings: &mut Settings<'_>) {
    settings.flag("roleBasedAuth", true);
    settings.text("iamRoleARN");
    let (id, secret) = (settings.text("accessKeyID"), settings.text("accessKey"));
    match (id.is_empty(), secret.is_empty()) {
        (true, false) => settings.wrong("accessKeyID", "is missing: `accessKey` is of no use without it"),
        (false, true) => settings.wrong("accessKey", "is missing: `accessKeyID` is of no use without it"),
        _ => {}
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>, with what old buckets and
/// compatible servers allow besides.
fn is_bucket(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (3..=63).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('.') && !name.contains("..")
}
