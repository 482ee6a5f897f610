//! `OnionListener`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Result};
use napi_derive::napi;
use ron_transport_arti_core::Listener;

use crate::settle::{nothing, promise};
use crate::stream::ArtiStream;

/// An onion service.
#[napi]
pub struct OnionListener {
    core: Arc<Listener>,
}

impl From<Listener> for OnionListener {
    fn from(listener: Listener) -> Self {
        Self { core: Arc::new(listener) }
    }
}

#[napi]
impl OnionListener {
    /// Its name.
    #[napi(getter)]
    pub fn address(&self) -> &str {
        self.core.address()
    }

    /// The next stream, or null once closed.
    #[napi]
    pub fn accept<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Option<ArtiStream>>> {
        let core = Arc::clone(&self.core);
        promise(env, async move { Ok(core.accept().await) }, |_, stream| Ok(stream.map(ArtiStream::from)))
    }

    /// Withdraws the service.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        let core = Arc::clone(&self.core);
        nothing(env, async move {
            core.close().await;
            Ok(())
        })
    }
}
