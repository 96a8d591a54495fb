//! Object storage: S3-compatible buckets and local folders.
