//! Reads the log for each destination and turns events into deliveries.
