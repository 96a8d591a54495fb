//! What a browser says about itself in its `User-Agent`, for vendors that want its name and device as fields.
//!
//! The names are those that analytics tools have on their charts: `Chrome`, `Mobile Safari`, `Edge`; `Mac OS`,
//! `Windows`, `Android`. No patterns are compiled: words are looked up in short lists, and of those that are there
//! the first of the list decides, since nearly every browser claims to be several others.

/// What could be told from a `User-Agent`; each part is absent when it could not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserAgent<'a> {
    /// The browser's name.
    pub browser: Option<&'static str>,
    /// The browser's version, with all its parts.
    pub version: Option<&'a str>,
    /// The operating system's name.
    pub system: Option<&'static str>,
    /// The device's model: `iPhone`, `SM-G960F`; desktops have none.
    pub model: Option<&'a str>,
    /// Who made the device; desktops have none.
    pub vendor: Option<&'static str>,
}

/// Products in the order in which they decide, and what they are called.
const PRODUCTS: [(&str, &str); 27] = [
    ("OPR", "Opera"),
    ("OPiOS", "Opera Mini"),
    // Behind `Opera `.
    ("Mini", "Opera Mini"),
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("Edge", "Edge"),
    ("YaBrowser", "Yandex"),
    ("Vivaldi", "Vivaldi"),
    ("UCBrowser", "UCBrowser"),
    ("SamsungBrowser", "Samsung Browser"),
    ("Silk", "Silk"),
    ("Whale", "Whale"),
    ("MiuiBrowser", "MIUI Browser"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("FBAV", "Facebook"),
    ("Instagram", "Instagram"),
    ("GSA", "GSA"),
    ("Electron", "Electron"),
    ("CriOS", "Chrome"),
    ("FxiOS", "Firefox"),
    ("HeadlessChrome", "Chrome Headless"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Firefox", "Firefox"),
    ("MSIE", "IE"),
    ("Opera", "Opera"),
];

/// Words of systems in the order in which they decide: Android says Linux too, Windows Phone says Android, and what
/// Apple's phones run is like Mac OS X.
const SYSTEMS: [(&str, &str); 9] = [
    ("Phone", "Windows Phone"),
    ("Windows", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("iPod", "iOS"),
    ("Android", "Android"),
    ("Macintosh", "Mac OS"),
    ("CrOS", "Chromium OS"),
    ("Linux", "Linux"),
];

/// Beginnings of model names that tell the maker, in small letters.
const VENDORS: [(&str, &str); 17] = [
    ("sm-", "Samsung"),
    ("gt-", "Samsung"),
    ("samsung", "Samsung"),
    ("pixel", "Google"),
    ("huawei", "Huawei"),
    ("redmi", "Xiaomi"),
    ("mi ", "Xiaomi"),
    ("poco", "Xiaomi"),
    ("oneplus", "OnePlus"),
    ("cph", "OPPO"),
    ("oppo", "OPPO"),
    ("vivo", "Vivo"),
    ("moto", "Motorola"),
    ("lm-", "LG"),
    ("lg-", "LG"),
    ("nokia", "Nokia"),
    ("rmx", "Realme"),
];

impl<'a> UserAgent<'a> {
    /// Reads a `User-Agent`.
    #[must_use]
    pub fn of(text: &'a str) -> UserAgent<'a> {
        // Places in the lists above.
        let (mut product, mut system) = (PRODUCTS.len(), SYSTEMS.len());
        // Stands behind the product, with one separator or the other: `Firefox/125.0`, `MSIE 9.0`.
        let (mut version, mut is_next) = (None, false);
        let words = text.split([' ', ';', '(', ')', '[', ']', ',']);
        for word in words.filter(|word| !word.is_empty()) {
            let (name, behind) = word.split_once('/').map_or((word, None), |(name, behind)| (name, Some(behind)));
            let better =
                |names: &[(&str, &str)], than: usize| names[..than].iter().position(|(known, _)| *known == name);
            if let Some(place) = better(&PRODUCTS, product) {
                (product, version, is_next) = (place, behind.and_then(number), behind.is_none());
                continue;
            }
            if std::mem::take(&mut is_next) {
                version = number(word);
            }
            system = better(&SYSTEMS, system).unwrap_or(system);
        }
        let system = SYSTEMS.get(system).map(|(_, name)| *name);
        let (browser, version) = match PRODUCTS.get(product) {
            // An app that shows pages inside of itself.
            Some(("Chrome", _)) if text.contains("; wv)") => (Some("Chrome WebView"), version),
            Some(("Opera", name)) => (Some(*name), behind(text, "Version/").or(version)),
            Some((_, name)) => (Some(*name), version),
            None => unnamed(text),
        };
        let (model, vendor) = device(text, system);
        UserAgent { browser, version, system, model, vendor }
    }
}

/// Browsers that name no product of their own.
fn unnamed(text: &str) -> (Option<&'static str>, Option<&str>) {
    if text.contains("Trident/") {
        return (Some("IE"), behind(text, "rv:"));
    }
    if !text.contains("Safari/") && !text.contains("AppleWebKit/") {
        return (None, None);
    }
    let name = match text {
        _ if text.contains("Android") => "Android Browser",
        _ if text.contains("Mobile/") => "Mobile Safari",
        _ => "Safari",
    };
    match behind(text, "Version/") {
        Some(version) => (Some(name), Some(version)),
        // A view inside of an app leaves its version out.
        None if text.contains("Safari/") => (Some(name), None),
        None => (Some("WebKit"), behind(text, "AppleWebKit/")),
    }
}

/// Digits and dots behind a token.
fn behind<'a>(text: &'a str, token: &str) -> Option<&'a str> {
    number(&text[text.find(token)? + token.len()..])
}

/// The digits and dots that a text begins with.
fn number(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(text.len());
    Some(&text[..end]).filter(|number| !number.is_empty())
}

fn device<'a>(text: &'a str, system: Option<&str>) -> (Option<&'a str>, Option<&'static str>) {
    match system {
        Some("iOS") => {
            let model = ["iPhone", "iPad", "iPod"].into_iter().find(|model| text.contains(model));
            (model, Some("Apple"))
        }
        Some("Android") => {
            let Some(model) = android_model(text) else { return (None, None) };
            let lower = model.to_ascii_lowercase();
            let vendor = VENDORS.iter().find(|(start, _)| lower.starts_with(start)).map(|(_, vendor)| *vendor);
            (Some(model), vendor)
        }
        _ => (None, None),
    }
}

/// The model stands behind the system's version in the first brackets, perhaps with the build behind it.
fn android_model(text: &str) -> Option<&str> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let behind = &inside[inside.find("Android")?..];
    let parts = behind.split(';').skip(1).map(str::trim);
    // A language, as old versions have it, or nothing but the mark of a web view, is no model.
    let model = parts.map(|part| part.split(" Build/").next().unwrap_or(part).trim()).find(|part| {
        !part.is_empty() && *part != "wv" && !part.starts_with("rv:") && !is_language(part) && *part != "K"
    })?;
    Some(model).filter(|model| *model != "Mobile" && *model != "Tablet")
}

fn is_language(part: &str) -> bool {
    let bytes = part.as_bytes();
    let letters = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_alphabetic);
    match bytes.len() {
        2 => letters(bytes) && part.chars().all(|c| c.is_ascii_lowercase()),
        5 => letters(&bytes[..2]) && matches!(bytes[2], b'-' | b'_') && letters(&bytes[3..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (&str, &str, &str, &str, &str) {
        let UserAgent { browser, version, system, model, vendor } = UserAgent::of(text);
        (
            browser.unwrap_or("-"),
            version.unwrap_or("-"),
            system.unwrap_or("-"),
            model.unwrap_or("-"),
            vendor.unwrap_or("-"),
        )
    }

    #[test]
    fn browsers_are_told_apart_though_they_all_claim_to_be_each_other() {
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)";
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
        for (text, expected) in [
            (format!("{mac} Chrome/120.0.6099.71 Safari/537.36"), ("Chrome", "120.0.6099.71", "Mac OS", "-", "-")),
            (
                format!("{windows} Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61"),
                ("Edge", "120.0.2210.61", "Windows", "-", "-"),
            ),
            (
                format!("{windows} Chrome/119.0.0.0 Safari/537.36 OPR/105.0.1"),
                ("Opera", "105.0.1", "Windows", "-", "-"),
            ),
            (format!("{windows} HeadlessChrome/119.0.1 Safari/537.36"), ("Chrome Headless", "119.0.1", "Windows", "-", "-")),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 13_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Safari/605.1.15"
                    .to_owned(),
                ("Safari", "16.5", "Mac OS", "-", "-"),
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0".to_owned(),
                ("Firefox", "115.0", "Linux", "-", "-"),
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned(),
                ("IE", "11.0", "Windows", "-", "-"),
            ),
            (
                "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)".to_owned(),
                ("IE", "9.0", "Windows", "-", "-"),
            ),
            (
                "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10".to_owned(),
                ("Opera Mini", "7.1.32052", "-", "-", "-"),
            ),
            ("okhttp/4.9.0".to_owned(), ("-", "-", "-", "-", "-")),
            (String::new(), ("-", "-", "-", "-", "-")),
        ] {
            assert_eq!(read(&text), expected, "{text}");
        }
    }

    #[test]
    fn devices_are_told_by_model_and_maker() {
        for (text, expected) in [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5 Mobile/15E148 Safari/604.1",
                ("Mobile Safari", "16.5", "iOS", "iPhone", "Apple"),
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/114.0.5735.99 Mobile/15E148 Safari/604.1",
                ("Chrome", "114.0.5735.99", "iOS", "iPad", "Apple"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 9; SM-G960F Build/PPR1.180610.011; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/74.0.3729.157 Mobile Safari/537.36",
                ("Chrome WebView", "74.0.3729.157", "Android", "SM-G960F", "Samsung"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Mobile Safari/537.36",
                ("Chrome", "114.0.0.0", "Android", "Pixel 7", "Google"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Mobile Safari/537.36",
                ("Chrome", "114.0.0.0", "Android", "-", "-"),
            ),
            (
                "Mozilla/5.0 (Linux; U; Android 4.0.3; de-de; Galaxy Thing Build/IML74K) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
                ("Android Browser", "4.0", "Android", "Galaxy Thing", "-"),
            ),
            (
                "Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/114.0 Firefox/114.0",
                ("Firefox", "114.0", "Android", "-", "-"),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
