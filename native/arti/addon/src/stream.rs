//! `ArtiStream`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Result, Uint8Array, Uint8ArraySlice};
use napi_derive::napi;
use ron_transport_arti_core::Stream;

use crate::memory::copy_into;
use crate::settle::{misuse, nothing, promise};

/// A stream.
#[napi]
pub struct ArtiStream {
    core: Arc<Stream>,
}

impl From<Stream> for ArtiStream {
    fn from(stream: Stream) -> Self {
        Self { core: Arc::new(stream) }
    }
}

#[napi]
impl ArtiStream {
    /// The number of the circuit it came by.
    #[napi(getter)]
    pub fn circuit(&self) -> f64 {
        self.core.circuit() as f64
    }

    /// Fills `into` as far as bytes are at hand. They are copied when the promise settles, on the thread of JavaScript,
    /// so that no other thread ever writes to its memory.
    #[napi]
    pub fn read<'env>(&self, env: &'env Env, into: Uint8Array) -> Result<PromiseRaw<'env, u32>> {
        let core = Arc::clone(&self.core);
        let room = into.len();
        let work = async move {
            match room {
                0 => Err(misuse("a read wants room for a byte at least")),
                _ => core.read(room).await,
            }
        };
        promise(env, work, |env, bytes| copy_into(env, into, &bytes))
    }

    /// Writes all and flushes.
    #[napi]
    pub fn write<'env>(&self, env: &'env Env, bytes: Uint8ArraySlice<'env>) -> Result<PromiseRaw<'env, ()>> {
        let core = Arc::clone(&self.core);
        let copy = bytes.to_vec();
        nothing(env, async move { core.write(&copy).await })
    }

    /// Sends END after what was written.
    #[napi]
    pub fn end<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        let core = Arc::clone(&self.core);
        nothing(env, async move { core.end().await })
    }

    /// Ends the stream at once.
    #[napi]
    pub fn close(&self) {
        self.core.close();
    }
}
