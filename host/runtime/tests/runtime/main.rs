//! Guests that behave, guests that do not, and what the runtime makes of them.

mod arrival;
mod cache;
mod guests;
mod javascript;
mod limits;
mod pooling;
mod webhook;
