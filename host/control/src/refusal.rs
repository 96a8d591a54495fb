//! Why a change of the catalog is not made.

use crate::problem::{Code, Detail, Problem};
use crate::workshop::Rejected;
use pintle_store::Error;

/// Why a change is not made. Each says what to do.
#[derive(Debug)]
pub enum Refusal {
    /// The outcome would not be sound.
    Invalid(Vec<pintle_catalog::Problem>),
    /// The workspace file owns it.
    Owned {
        /// What.
        thing: String,
        /// The file.
        file: String,
    },
    /// There is no such thing.
    NotFound(String),
    /// It is in a state that forbids it.
    Conflict(String),
    /// It was changed since the client has read it.
    Stale {
        /// Its tag now; none when it is gone.
        now: Option<String>,
    },
    /// The request cannot be met as it is.
    BadRequest(String),
    /// Code or a component that does not fit.
    Rejected(Rejected),
    /// The database.
    Store(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Store(error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::Invalid(problems) => {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                let rest = problems.len().saturating_sub(1);
                let more = if rest > 0 { format!(" ({rest} more under `errors`)") } else { String::new() };
                let errors = problems.into_iter().map(|problem| Detail {
                    path: problem.path,
                    message: problem.message,
                    fix: problem.fix,
                });
                Problem::new(Code::Invalid, format!("{first}{more}")).with(errors.collect())
            }
            Refusal::Owned { thing, file } => Problem::new(
                Code::Conflict,
                format!(
                    "{thing} belongs to the workspace file {file}: change it there, and it applies within a second"
                ),
            ),
            Refusal::NotFound(what) => Problem::new(Code::NotFound, what),
            Refusal::Conflict(why) => Problem::new(Code::Conflict, why),
            Refusal::Stale { now } => {
                let now = now.map_or("it is gone".to_owned(), |tag| format!("its ETag is {tag} now"));
                let detail = format!(
                    "it was changed since you have read it ({now}); read it again, make your change anew, and send it with the new ETag"
                );
                Problem::new(Code::PreconditionFailed, detail)
            }
            Refusal::BadRequest(why) => Problem::new(Code::BadRequest, why),
            Refusal::Rejected(rejected) => rejected.into(),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            // What sqlx says may name tables and hosts.
            Error::Database(error) => {
                tracing::warn!(%error, "the database does not answer");
                Problem::new(
                    Code::Unavailable,
                    "the database does not answer; nothing may have been changed: look, and try again",
                )
            }
            error => {
                tracing::error!(%error, "admin request failed");
                Problem::new(Code::Internal, "the log of the server says what happened")
            }
        }
    }
}
