//! A Tor client in this process, over Arti: it can be started, watched, closed at once, and kept in RAM.
//!
//! - [`Client`] bootstraps in the background, dials and offers onion services;
//! - [`Listener`] is an onion service, [`Stream`] a stream of either direction;
//! - [`Fault`] is the one error, [`Progress`] what a user sees of bootstrapping.
//!
//! No program is started and no port is opened here: Arti's features for bridges, pluggable transports, SOCKS and control
//! ports are not compiled in.
#![forbid(unsafe_code)]

mod attempts;
mod client;
mod config;
mod errors;
mod memory_dir;
mod onion;
mod progress;
mod storage;
mod stream;

pub use client::{Client, OnProgress, Options, Place};
pub use errors::Fault;
pub use memory_dir::remove_memory_dirs;
pub use onion::Listener;
pub use progress::Progress;
pub use stream::Stream;
