//! Answers as text for people.
//!
//! Whatever came from outside (error texts of other people's servers, ids from events) is stripped of
//! control characters, so that it cannot repaint the terminal it is shown on.

pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod import;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod why;

/// The text on one line, without control characters.
pub(crate) fn plain(text: &str) -> String {
    let visible = text.chars().map(|c| if is_control(c) { ' ' } else { c });
    visible.collect::<String>().trim_end().to_owned()
}

/// The text with its line breaks, without other control characters.
pub(crate) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Control characters, and the invisible ones that turn the direction of writing.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text on one line of at most so many characters.
pub(crate) fn short(text: &str, characters_max: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= characters_max {
        return text;
    }
    let kept: String = text.chars().take(characters_max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A duration in its two largest units.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    let whole = seconds.round() as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// How long ago a time was.
pub(crate) fn ago(at_ms: i64, now_ms: i64) -> String {
    let seconds = (now_ms.saturating_sub(at_ms)).max(0) as f64 / 1000.0;
    if seconds < 1.0 { "now".to_owned() } else { format!("{} ago", duration(seconds)) }
}

/// A size in the largest unit that leaves a number of at least one.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests;
