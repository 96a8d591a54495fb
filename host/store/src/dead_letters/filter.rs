//! Which dead letters are meant.

use crate::settle::columns::without_nul;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

/// Which dead letters are meant; all of them when nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this destination.
    pub destination: Option<String>,
    /// Only from this source.
    pub source: Option<String>,
    /// Only of this connection.
    pub connection: Option<String>,
    /// Only those that died there: `transformation` or `delivery`.
    pub stage: Option<String>,
    /// Only events of this type.
    pub event_type: Option<String>,
    /// Only the event with this message id.
    pub message_id: Option<String>,
    /// Only those with this text in their reason.
    pub reason: Option<String>,
    /// Only those that died then or later, milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Only those that died before that, milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// Only older ones than this id.
    pub before: Option<i64>,
    /// Only newer ones than this id.
    pub after: Option<i64>,
}

/// The condition that [`bind`] fills in. It uses the parameters `$1` to [`PARAMETERS`].
pub(super) const CONDITION: &str = "($1::text IS NULL OR destination = $1) AND ($2::text IS NULL OR source = $2) \
    AND ($3::text IS NULL OR connection = $3) AND ($4::text IS NULL OR stage = $4) \
    AND ($5::text IS NULL OR event_type = $5) AND ($6::text IS NULL OR message_id = $6) \
    AND ($7::text IS NULL OR strpos(reason, $7) > 0) \
    AND ($8::bigint IS NULL OR created_at >= to_timestamp($8 / 1000.0)) \
    AND ($9::bigint IS NULL OR created_at < to_timestamp($9 / 1000.0)) AND ($10::bigint IS NULL OR id < $10) \
    AND ($11::bigint IS NULL OR id > $11)";

/// The last parameter of [`CONDITION`].
pub(super) const PARAMETERS: usize = 11;

/// Fills in [`CONDITION`].
pub(super) fn bind<'q>(query: Query<'q, Postgres, PgArguments>, filter: &Filter) -> Query<'q, Postgres, PgArguments> {
    let text = |text: &Option<String>| text.as_deref().map(without_nul);
    query
        .bind(text(&filter.destination))
        .bind(text(&filter.source))
        .bind(text(&filter.connection))
        .bind(text(&filter.stage))
        .bind(text(&filter.event_type))
        .bind(text(&filter.message_id))
        .bind(text(&filter.reason))
        .bind(filter.since_ms)
        .bind(filter.until_ms)
        .bind(filter.before)
        .bind(filter.after)
}
