//! The configuration, with the keys that RudderStack's HTTP Webhook destination has.

use crate::address::Segment;
use crate::expression::Expression;
use crate::target::{Field, Target};
use pintle_plugin_sdk::encode::basic_auth;
use pintle_plugin_sdk::http::{check_header_name, check_header_value, check_url, set_header};
use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::settings::Settings;
use pintle_plugin_sdk::{Method, Mistakes};

/// Events of a bulk request when the configuration does not say.
const BATCH_SIZE: usize = 100;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `apiUrl`.
    pub url: String,
    /// What is put behind it: `pathParams`.
    pub path: Vec<Segment>,
    /// `method`.
    pub method: Method,
    /// `format`.
    pub format: Format,
    /// The document's outermost element in XML: `xmlRootKey`.
    pub xml_root: String,
    /// What makes the body.
    pub body: Content,
    /// `queryParams`.
    pub query: Vec<(String, Expression)>,
    /// The content type, what `auth` asks for, and of `headers` those that are the same for all events.
    pub headers: Vec<(String, String)>,
    /// The other `headers`.
    pub event_headers: Vec<(String, Expression)>,
    /// Events of a bulk request: `isBatchingEnabled` and `maxBatchSize`.
    pub batch_size: Option<usize>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// What a body is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Nothing: there is none.
    None,
    /// The event as it is: `isDefaultMapping`.
    Event,
    /// Some of its fields: `propertiesMapping`.
    Fields(Vec<Field>),
}

impl Config {
    /// Reads a configuration, or says everything that is wrong with it at once.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(config: &Value) -> Result<Config, Mistakes> {
        const METHODS: [(&str, Method); 5] = [
            ("POST", Method::Post),
            ("PUT", Method::Put),
            ("PATCH", Method::Patch),
            ("GET", Method::Get),
            ("DELETE", Method::Delete),
        ];
        const FORMATS: [(&str, Format); 3] = [("JSON", Format::Json), ("XML", Format::Xml), ("FORM", Format::Form)];

        let mut settings = Settings::of(config);
        let url = settings.required("apiUrl", "the address that events are sent to");
        if !url.is_empty()
            && let Err(wrong) = check_url(&url)
        {
            settings.wrong("apiUrl", wrong);
        }
        let method = settings.choice("method", &METHODS, Method::Post);
        let format = settings.choice("format", &FORMATS, Format::Json);
        let xml_root = settings.text("xmlRootKey");
        let body = content(&mut settings, method);
        let path = segments(&mut settings);
        let query = expressions(&mut settings, "queryParams");
        let mut headers = vec![("content-type".to_owned(), content_type(format).to_owned())];
        authenticate(&mut settings, &mut headers);
        let event_headers = self::headers(&mut settings, &mut headers);
        let batch_size = batch_size(&mut settings).filter(|_| format == Format::Json);
        let xml_root = if xml_root.is_empty() { "root".to_owned() } else { xml_root };
        settings.end(Config { url, path, method, format, xml_root, body, query, headers, event_headers, batch_size })
    }
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
        Format::Xml => "application/xml",
        Format::Form => "application/x-www-form-urlencoded",
    }
}

/// The whole event travels as a body only where a body is usual.
fn content(settings: &mut Settings<'_>, method: Method) -> Content {
    let fields = fields(settings);
    let is_default = settings.flag("isDefaultMapping", fields.is_empty());
    match (is_default, method) {
        (true, Method::Get | Method::Delete) => Content::None,
        (true, _) => Content::Event,
        (false, _) if fields.is_empty() => Content::None,
        (false, _) => Content::Fields(fields),
    }
}

fn fields(settings: &mut Settings<'_>) -> Vec<Field> {
    const KEY: &str = "propertiesMapping";
    let mut fields = Vec::new();
    for (place, row) in settings.rows(KEY).iter().enumerate() {
        let Some((to, from)) = cells(row) else { continue };
        let to = Target::parse(&to).map_err(|wrong| settings.wrong(&format!("{KEY}/{place}/to"), &wrong));
        let from = Expression::parse(&from).map_err(|wrong| settings.wrong(&format!("{KEY}/{place}/from"), &wrong));
        if let (Ok(to), Ok(from)) = (to, from) {
            fields.push(Field { from, to });
        }
    }
    fields
}

/// Names and what to take for them.
fn expressions(settings: &mut Settings<'_>, key: &str) -> Vec<(String, Expression)> {
    let mut read = Vec::new();
    for (place, row) in settings.rows(key).iter().enumerate() {
        let Some((to, from)) = cells(row) else { continue };
        let to = Target::name(&to).map_err(|wrong| settings.wrong(&format!("{key}/{place}/to"), &wrong));
        let from = Expression::parse(&from).map_err(|wrong| settings.wrong(&format!("{key}/{place}/from"), &wrong));
        if let (Ok(to), Ok(from)) = (to, from) {
            read.push((to, from));
        }
    }
    read
}

/// A row's target and source; a row without either is one that the form left.
fn cells(row: &Value) -> Option<(String, String)> {
    let cell = |name: &str| match row.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other @ (Value::Number(_) | Value::Bool(_)) => Some(other.to_string()),
        _ => None,
    };
    Some((cell("to")?, cell("from")?))
}

fn segments(settings: &mut Settings<'_>) -> Vec<Segment> {
    const KEY: &str = "pathParams";
    let mut segments = Vec::new();
    for (place, row) in settings.rows(KEY).iter().enumerate() {
        let text = row.as_str().or_else(|| row.get("path")?.as_str()).unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        match Expression::parse(text) {
            Ok(expression) if expression.has_path() => segments.push(Segment::OfEvent(expression)),
            // As it is spelt: `007` is no 7.
            Ok(_) => segments.push(Segment::constant(text.trim_matches('\'').trim_matches('"'))),
            Err(wrong) => settings.wrong(&format!("{KEY}/{place}/path"), &wrong),
        }
    }
    segments
}

#[derive(Clone, Copy)]
enum Auth {
    None,
    Basic,
    Bearer,
    ApiKey,
}

fn authenticate(settings: &mut Settings<'_>, headers: &mut Vec<(String, String)>) {
    let kinds = [
        ("noAuth", Auth::None),
        ("basicAuth", Auth::Basic),
        ("bearerTokenAuth", Auth::Bearer),
        ("apiKeyAuth", Auth::ApiKey),
    ];
    match settings.choice("auth", &kinds, Auth::None) {
        Auth::None => {}
        Auth::Basic => {
            let (user, password) = (settings.text("username"), settings.text("password"));
            set_header(headers, "authorization", basic_auth(&user, &password));
        }
        Auth::Bearer => {
            let token = settings.required("bearerToken", "the token that proves who sends");
            header(settings, "bearerToken", headers, "authorization", format!("Bearer {token}"));
        }
        Auth::ApiKey => {
            let name = settings.required("apiKeyName", "the header that the key is sent in");
            let key = settings.required("apiKeyValue", "the key that proves who sends");
            match check_header_name(&name) {
                Ok(()) => header(settings, "apiKeyValue", headers, &name, key),
                Err(_) if name.is_empty() => {}
                Err(wrong) => settings.wrong("apiKeyName", wrong),
            }
        }
    }
}

fn header(settings: &mut Settings<'_>, key: &str, headers: &mut Vec<(String, String)>, name: &str, value: String) {
    match check_header_value(&value) {
        Ok(()) => set_header(headers, name, value),
        Err(wrong) => settings.wrong(key, wrong),
    }
}

/// Sets the headers that are the same for all events, and returns the others.
fn headers(settings: &mut Settings<'_>, fixed: &mut Vec<(String, String)>) -> Vec<(String, Expression)> {
    const KEY: &str = "headers";
    let mut of_events = Vec::new();
    for (name, expression) in expressions(settings, KEY) {
        if let Err(wrong) = check_header_name(&name) {
            settings.wrong(KEY, &format!("has a name that {wrong}"));
            continue;
        }
        match &expression {
            Expression::Constant(value) => {
                if let Some(value) = value.scalar() {
                    header(settings, KEY, fixed, &name, value.into_owned());
                }
            }
            _ => of_events.push((name, expression)),
        }
    }
    of_events
}

fn batch_size(settings: &mut Settings<'_>) -> Option<usize> {
    let is_enabled = settings.flag("isBatchingEnabled", false);
    let size = settings.text("maxBatchSize");
    if !is_enabled {
        return None;
    }
    if size.is_empty() {
        return Some(BATCH_SIZE);
    }
    let size = size.parse().ok().filter(|size| *size > 0);
    if size.is_none() {
        settings.wrong("maxBatchSize", "must be a whole number above 0");
    }
    size
}
