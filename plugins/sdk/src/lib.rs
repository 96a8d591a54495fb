//! What a destination in Rust is written with.
//!
//! ```text
//!   configuration ── Destination::configure ──┐
//!   event ────────────────────────────────────┴─▶ Destination::transform ──▶ Outcome (requests, or why not)
//! ```
//!
//! A destination is a type that implements [`Destination`], a `manifest.json`, and one line that makes a
//! component of them:
//!
//! ```ignore
//! pintle_plugin_sdk::destination!(MyDestination);
//! ```
//!
//! Everything here is plain Rust and runs natively, tests included; only the glue to the component's world is
//! compiled for WebAssembly alone. A destination describes requests and the host sends them: there is no
//! network, no clock and no randomness to reach for, and what a call may know comes in its [`Context`].

pub mod cases;
pub mod configured;
mod destination;
pub mod dynamic;
pub mod encode;
pub mod entries;
mod event;
pub mod fields;
pub mod flatten;
#[cfg(feature = "hashing")]
pub mod hashing;
pub mod http;
pub mod js;
pub mod json;
pub mod node;
pub mod object;
mod outcome;
mod path;
pub mod placeholders;
mod reverse_etl;
mod scan;
pub mod settings;
#[cfg(feature = "times")]
pub mod times;
pub mod tree;
pub mod user_agent;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod component;

pub use destination::{Context, Destination, Mistake, Mistakes};
pub use event::Event;
pub use outcome::{Body, Combined, Delivery, Method, Outcome, Record, Reject, Request, Response, Verdict};
pub use serde_json;

/// Makes a component of a type that implements [`Destination`]. Once per crate; natively it is nothing.
#[macro_export]
macro_rules! destination {
    ($destination:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::component::{self, bindings};

            ::std::thread_local! {
                // Set once by `configure`; a component has one thread.
                static CONFIGURED: ::std::cell::RefCell<Option<$crate::configured::Configured<$destination>>> =
                    const { ::std::cell::RefCell::new(None) };
            }

            struct Component;

            impl bindings::Guest for Component {
                fn describe() -> String {
                    <$destination as $crate::Destination>::MANIFEST.to_owned()
                }

                fn configure(config: String) -> Result<(), Vec<bindings::ConfigError>> {
                    CONFIGURED.set(Some(component::configure(&config)?));
                    Ok(())
                }

                fn transform(ctx: bindings::BatchContext, batch: Vec<u8>) -> Vec<bindings::Outcome> {
                    CONFIGURED.with_borrow(|configured| component::transform(configured.as_ref(), ctx, &batch))
                }

                fn combine(requests: Vec<bindings::Request>) -> Vec<bindings::Combined> {
                    CONFIGURED.with_borrow(|configured| component::combine(configured.as_ref(), requests))
                }

                fn conclude(request: bindings::Request, response: bindings::Response) -> Vec<bindings::Verdict> {
                    CONFIGURED.with_borrow(|configured| component::conclude(configured.as_ref(), request, response))
                }

                fn authenticate() -> Option<bindings::Request> {
                    CONFIGURED.with_borrow(|configured| component::authenticate(configured.as_ref()))
                }
            }

    $crate::component::export!(Component with_types_in $crate::component);
        };
    };
}
