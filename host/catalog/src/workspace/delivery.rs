//! The `delivery` of a destination, as the workspace file writes it.

use super::Reader;
use crate::Delivery;
use serde::Deserialize;
use serde_saphyr::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct DeliveryEntry {
    requests_per_second_max: Option<Spanned<f64>>,
    concurrency_max: Option<Spanned<u32>>,
    connect_timeout: Option<Spanned<f64>>,
    first_byte_timeout: Option<Spanned<f64>>,
    attempt_timeout: Option<Spanned<f64>>,
    response_bytes_max: Option<Spanned<u32>>,
    attempts_min: Option<Spanned<u32>>,
    attempts_max: Option<Spanned<u32>>,
    retry_time_window: Option<Spanned<f64>>,
    retry_base: Option<Spanned<f64>>,
    retry_max: Option<Spanned<f64>>,
    retry_after_max: Option<Spanned<f64>>,
}

impl Reader<'_> {
    /// Settings that say nothing are none.
    pub(super) fn delivery(&mut self, path: &str, entry: Option<Spanned<DeliveryEntry>>) -> Option<Delivery> {
        let path = format!("{path}.delivery");
        let entry = self.place(path.clone(), entry?);
        let delivery = Delivery {
            requests_per_second_max: self.set(&path, "requests-per-second-max", entry.requests_per_second_max),
            concurrency_max: self.set(&path, "concurrency-max", entry.concurrency_max),
            connect_timeout: self.set(&path, "connect-timeout", entry.connect_timeout),
            first_byte_timeout: self.set(&path, "first-byte-timeout", entry.first_byte_timeout),
            attempt_timeout: self.set(&path, "attempt-timeout", entry.attempt_timeout),
            response_bytes_max: self.set(&path, "response-bytes-max", entry.response_bytes_max),
            attempts_min: self.set(&path, "attempts-min", entry.attempts_min),
            attempts_max: self.set(&path, "attempts-max", entry.attempts_max),
            retry_time_window: self.set(&path, "retry-time-window", entry.retry_time_window),
            retry_base: self.set(&path, "retry-base", entry.retry_base),
            retry_max: self.set(&path, "retry-max", entry.retry_max),
            retry_after_max: self.set(&path, "retry-after-max", entry.retry_after_max),
        };
        Some(delivery).filter(|delivery| !delivery.is_blank())
    }

    fn set<T>(&mut self, path: &str, name: &str, given: Option<Spanned<T>>) -> Option<T> {
        given.map(|given| self.place(format!("{path}.{name}"), given))
    }
}
