//! The core as classes and functions for JavaScript; `../index.d.ts` describes them.
//!
//! Promises are made by [`settle::promise`] rather than by `async fn`, whose rejections cannot carry a code of ours.
//! The only `unsafe` beside what the macros of napi-rs write is in `memory.rs`.

mod client;
mod memory;
mod onion;
mod settle;
mod stream;

use napi::bindgen_prelude::create_custom_tokio_runtime;
use tokio::runtime::Builder;

/// One thread is enough for promises: the work is done by the threads of each client.
#[napi_derive::module_init]
fn init() {
    let built = Builder::new_multi_thread().worker_threads(1).thread_name("arti-promises").enable_all().build();
    // Without it, napi-rs makes one of its own.
    if let Ok(runtime) = built {
        create_custom_tokio_runtime(runtime);
    }
}
