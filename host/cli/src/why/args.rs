//! What can be said behind `pintle why`.

use crate::args::Server;
use clap::Args;
use std::fmt;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Why {
    /// The event's messageId
    #[arg(value_name = "MESSAGE_ID")]
    pub(crate) message_id: String,
    /// The source that it is of [default: all that there are]
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    /// Not received longer ago than that, e.g. 90s, 15m, 6h, 2d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) since: Option<u64>,
    /// Received longer ago than that
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) until: Option<u64>,
    /// Show inputs, outputs, requests and answers whole
    #[arg(long)]
    pub(crate) full: bool,
    /// Run every recorded call of a component again, here, with the same component, input, seed and clock, and
    /// compare what it makes with what it made
    #[arg(long)]
    pub(crate) rerun: bool,
    /// With --rerun: the destination's configuration (JSON), where it does not run without its secrets
    #[arg(long, value_name = "FILE", requires = "rerun")]
    pub(crate) config: Option<PathBuf>,
    /// With --rerun: what `getCredential` finds under a name; may be given several times
    #[arg(long = "credential", value_name = "NAME=VALUE", requires = "rerun", value_parser = pair)]
    pub(crate) credentials: Vec<(String, String)>,
    /// With --rerun: where the plugins are [default: plugins beside the program]
    #[arg(long, env = "PINTLE_PLUGINS_DIR", value_name = "DIR")]
    pub(crate) plugins_dir: Option<PathBuf>,
    /// With --rerun: where compiled components are kept [default: .cache/pintle/compiled in the home folder]
    #[arg(long, env = "PINTLE_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// Leaves out the values of credentials.
impl fmt::Debug for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Why").field("message_id", &self.message_id).field("rerun", &self.rerun).finish_non_exhaustive()
    }
}

fn pair(said: &str) -> Result<(String, String), String> {
    let (name, value) = said.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A time with its unit.
pub(crate) fn seconds(said: &str) -> Result<u64, String> {
    let wrong = || format!("{said:?} is not a time; say e.g. 90s, 15m, 6h or 2d");
    let unit = said.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = said[..said.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(factor).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(["90s", "15m", "6h", "2d"].map(|said| seconds(said).unwrap()), [90, 900, 21_600, 172_800]);
        for wrong in ["", "90", "h", "-1h", "1.5h", "1w", "99999999999999999999d", "1ü"] {
            assert!(seconds(wrong).unwrap_err().contains("15m"), "{wrong}");
        }
    }
}
