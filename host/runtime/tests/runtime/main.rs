//! Guests that behave, guests that do not, and what the runtime makes of them.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

mod arrival;
mod cache;
mod guests;
mod javascript;
mod limits;
mod network;
mod pooling;
mod python;
mod scripts;
mod webhook;
