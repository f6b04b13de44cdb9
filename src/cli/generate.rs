//! `s3seal generate`: completions and man pages, written from the one definition of the command line.
//!
//! Nothing depends on the day, the machine or the terminal, so that what is checked in can be compared.
