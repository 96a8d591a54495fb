//! Object storage: S3-compatible buckets and local folders.
//!
//! ```text
//!   Place::read ──▶ Depot::open ──▶ put, list, get ──▶ object_store ──▶ Connection ──▶ the router's client ──▶ bucket
//!   (what a configuration says)                            │            (where it may lead is decided there)
//!                                                          └──▶ a folder below `local-folders`
//! ```
//!
//! A [`Depot`] writes whole objects, reads them line by line ([`Object`]), and says of a failure whether somebody has to act ([`Failure::Refused`]) or
//! time may mend it ([`Failure::Later`]). It tries once: whoever asks knows when to ask again. Writing an object
//! that is there replaces it, so that a repetition changes nothing.

mod answer;
pub mod config;
mod connection;
pub mod depot;
pub mod lines;
pub mod object;
pub mod place;

pub use config::Config;
pub use depot::{Depot, Failure, Listed, parts};
pub use lines::Lines;
pub use object::{Line, Object};
pub use place::{Invalid, Place};
