//! Makes a component of a core module that was built for `wasm32-unknown-unknown`, and refuses one that
//! imports anything.

mod encode;

pub use encode::component;
