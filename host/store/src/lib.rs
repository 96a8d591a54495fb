//! Our Postgres: migrations, the event log, leases, cursors, parked events, dead letters, the catalog.
