//! The HTTP front door: authenticates, bounds, validates, stamps and appends events.
