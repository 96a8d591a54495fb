//! What can go wrong between us and our database.

/// We are broken, or the database is: never about a single event.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("the database did not answer as expected: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("could not bring the schema up to date: {0}")]
    Migrate(sqlx::migrate::MigrateError),
    /// The schema has steps that this binary does not know.
    #[error("the database was last used by a newer Pintle (schema step {version}); start that version or a later one")]
    SchemaNewer {
        /// The unknown step.
        version: i64,
    },
    /// Another process has taken the lease over: whatever this one still does, it may not settle it.
    #[error("another Pintle has taken over delivery from this database; this one stops")]
    Fenced,
    /// A stored chunk cannot be read.
    #[error("chunk {seq} of lane {lane} cannot be read: {why}")]
    Damaged {
        /// Its lane.
        lane: i64,
        /// Its number in the lane.
        seq: i64,
        /// What is wrong with it.
        why: String,
    },
    /// What is counted of a destination cannot be read.
    #[error(
        "what is counted of destination \"{destination}\" cannot be read: it was written by a newer Pintle, or is damaged"
    )]
    Unreadable {
        /// Of which destination.
        destination: String,
    },
    /// A chunk was to be begun that the destination is beyond: it was read twice, or it expired meanwhile.
    /// Setting the destination up again reads on from its cursor.
    #[error(
        "chunk {seq} of lane {lane} was to be begun again for destination \"{destination}\", which is at chunk {next}"
    )]
    BegunBefore {
        /// For which destination.
        destination: String,
        /// The chunk's lane.
        lane: i64,
        /// Its number in the lane.
        seq: i64,
        /// The chunk that may be begun next.
        next: i64,
    },
    /// The key does not open what another key has sealed.
    #[error("the secret key does not open the stored configuration; start with the key that it was stored with ({0})")]
    WrongKey(String),
    /// A stored document cannot be read.
    #[error(transparent)]
    Document(#[from] pintle_catalog::stored::Unreadable),
    /// A document could not be written.
    #[error("a document cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// Another revision came between reading the catalog and changing it.
    #[error("the catalog was changed by somebody else meanwhile")]
    Superseded,
}
