//! How long to wait before the next try.

use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Which part of a wait's random half is waited. Drawn once per request: what failed in different requests does
/// not come again together, and what failed in one does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread(f64);

impl Spread {
    pub(crate) fn draw() -> Spread {
        Spread(rand::random())
    }

    /// The wait after the `tries`-th failure (from 1): `base` doubled with each failure, at most `max`, of
    /// which the upper half is random.
    pub(crate) fn wait(self, tries: u32, base: Duration, max: Duration) -> Duration {
        spread(doubled(tries, base, max), self.0)
    }
}

/// The wait after a failure that nothing else shares.
pub(crate) fn wait(tries: u32, base: Duration, max: Duration) -> Duration {
    Spread::draw().wait(tries, base, max)
}

fn doubled(tries: u32, base: Duration, max: Duration) -> Duration {
    let factor = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    base.saturating_mul(factor).min(max)
}

fn spread(wait: Duration, random: f64) -> Duration {
    wait.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

/// What a `Retry-After` header asks for: whole seconds or a date. A date that has passed asks for nothing.
pub(crate) fn retry_after(value: &str, now: OffsetDateTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a wish to wait: the caller's bound makes it a sensible one.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let at = OffsetDateTime::parse(value, &Rfc2822).ok()?;
    Some(Duration::try_from(at - now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_and_end_at_the_bound() {
        let waits: Vec<u64> = (1..=10).map(|n| doubled(n, SECOND, 300 * SECOND).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(doubled(4_000_000, SECOND, 300 * SECOND), 300 * SECOND);
        assert_eq!(doubled(0, SECOND, 300 * SECOND), SECOND);
    }

    #[test]
    fn half_of_a_wait_is_random() {
        assert_eq!(spread(4 * SECOND, 0.0), 2 * SECOND);
        assert_eq!(spread(4 * SECOND, 1.0), 4 * SECOND);
        for tries in 1..5 {
            let waited = wait(tries, SECOND, 3 * SECOND);
            assert!(waited >= SECOND / 2 && waited <= 3 * SECOND);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = datetime!(1994-11-06 08:49:00 UTC);
        assert_eq!(retry_after("120", now), Some(120 * SECOND));
        assert_eq!(retry_after(" 0 ", now), Some(Duration::ZERO));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(37 * SECOND));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:48:00 GMT", now), Some(Duration::ZERO));
        assert!(retry_after("99999999999999999999999", now).unwrap() > 3600 * SECOND);
        for nonsense in ["", "soon", "-1", "1.5", "12 s"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }
}
