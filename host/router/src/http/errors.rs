//! What went wrong on the network, as a sentence a person can act on.

use std::error::Error;
use std::io;

/// Whether the connection stood when it went wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Connected {
    Yes,
    No,
}

impl Connected {
    pub(super) fn of(error: &hyper_util::client::legacy::Error) -> Connected {
        if error.is_connect() { Connected::No } else { Connected::Yes }
    }
}

/// The first error of one kind in a chain of causes.
pub(crate) fn cause<E: Error + Clone + 'static>(error: &(dyn Error + 'static)) -> Option<E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref::<E>().cloned())
}

/// The whole chain of causes in one sentence, its root first when it is a plain one.
pub(super) fn describe(error: &(dyn Error + 'static), connected: Connected) -> String {
    let during = match connected {
        Connected::Yes => "",
        Connected::No => "could not connect: ",
    };
    let mut root: &(dyn Error + 'static) = error;
    while let Some(source) = root.source() {
        root = source;
    }
    if let Some(io) = root.downcast_ref::<io::Error>() {
        return format!("{during}{}", plain(io));
    }
    // hyper says "connection closed before message completed" and the like at the root already.
    format!("{during}{root}")
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset by the other side".to_owned(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            "connection closed by the other side".to_owned()
        }
        io::ErrorKind::TimedOut => "no connection within the time limit (connect-timeout)".to_owned(),
        _ => error.to_string(),
    }
}
