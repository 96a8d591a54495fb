//! `pintle transform`, as far as it needs no server: begin, test and build.

pub(crate) mod args;
mod build;
mod engine;
mod new;
mod source;
mod test;
mod toolchain;

use crate::Outside;
use crate::failure::{Exit, Failure};
use args::TransformCommand;
use std::io::Write;

pub(crate) async fn run(
    command: TransformCommand,
    outside: Outside,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        TransformCommand::New(new) => new::run(&new, out),
        TransformCommand::Test(test) => test::run(&test, outside, out).await,
        TransformCommand::Build(build) => build::run(&build, out, err).await,
    }
}
