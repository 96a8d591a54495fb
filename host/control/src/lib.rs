//! The admin API over the catalog and the books: status, dead letters, event tail, metrics.
