//! The command line: a thin client of the admin API plus local tools.
