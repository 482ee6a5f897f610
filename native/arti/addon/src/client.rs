//! `start`, `ArtiClient` and `removeMemoryDirsSync`.

use std::sync::Arc;

use napi::bindgen_prelude::{PromiseRaw, Result};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use ron_transport_arti_core::{Client, Fault, Options, Place, Progress, remove_memory_dirs};

use crate::onion::OnionListener;
use crate::settle::{limit, misuse, nothing, port, promise};
use crate::stream::ArtiStream;

/// Steps that may wait for the thread of JavaScript.
const QUEUE: usize = 16;

/// Weak: it does not keep the process alive.
type Callback = ThreadsafeFunction<ArtiProgress, (), ArtiProgress, Status, false, true, QUEUE>;

/// Configuration, and where the state lies.
#[napi(object)]
pub struct ArtiOptions {
    /// Arti's configuration as TOML.
    pub config: Option<String>,
    /// Folder that stays.
    pub state_dir: Option<String>,
    /// Folder on tmpfs.
    pub memory_dir: Option<String>,
}

/// How far bootstrapping is.
#[napi(object)]
pub struct ArtiProgress {
    /// 0 to 1.
    pub fraction: f64,
    /// Whether traffic can flow.
    pub ready: bool,
    /// Why it does not go on.
    pub blocked: Option<String>,
    /// One line for people.
    pub summary: String,
}

impl From<Progress> for ArtiProgress {
    fn from(Progress { fraction, ready, blocked, summary }: Progress) -> Self {
        Self { fraction, ready, blocked, summary }
    }
}

impl TryFrom<ArtiOptions> for Options {
    type Error = Fault;

    fn try_from(options: ArtiOptions) -> std::result::Result<Self, Fault> {
        let place = match (options.state_dir, options.memory_dir) {
            (Some(path), None) => Place::Kept(path.into()),
            (None, Some(path)) => Place::Memory(path.into()),
            _ => return Err(misuse("exactly one of stateDir and memoryDir is wanted")),
        };
        Ok(Self { config: options.config.unwrap_or_default(), place })
    }
}

/// Makes a client, which bootstraps in the background.
#[napi]
pub fn start<'env>(
    env: &'env Env,
    options: ArtiOptions,
    on_progress: Option<Callback>,
) -> Result<PromiseRaw<'env, ArtiClient>> {
    let tell = move |progress: Progress| match &on_progress {
        Some(call) => call.call(progress.into(), ThreadsafeFunctionCallMode::NonBlocking) != Status::QueueFull,
        None => true,
    };
    let work = async move { Client::start(options.try_into()?, Box::new(tell)).await };
    promise(env, work, |_, core| Ok(ArtiClient { core: Arc::new(core) }))
}

/// Versions of this addon and of Arti in it.
#[allow(non_upper_case_globals)] // its name in JavaScript
#[napi]
pub const version: &str = concat!(env!("CARGO_PKG_VERSION"), " (arti-client 0.47.0)");

/// Removes the memory directories of this process at once.
#[napi]
pub fn remove_memory_dirs_sync() {
    remove_memory_dirs();
}

/// A Tor client.
#[napi]
pub struct ArtiClient {
    core: Arc<Client>,
}

#[napi]
impl ArtiClient {
    /// Whether traffic can flow.
    #[napi(getter)]
    pub fn ready(&self) -> bool {
        self.core.ready()
    }

    /// Settles when it has bootstrapped.
    #[napi]
    pub fn bootstrapped<'env>(&self, env: &'env Env, timeout_ms: f64) -> Result<PromiseRaw<'env, ()>> {
        let core = Arc::clone(&self.core);
        nothing(env, async move { core.bootstrapped(limit(timeout_ms)?).await })
    }

    /// Opens a stream.
    #[napi]
    pub fn connect<'env>(
        &self,
        env: &'env Env,
        host: String,
        port_number: f64,
        timeout_ms: f64,
        isolated: Option<bool>,
    ) -> Result<PromiseRaw<'env, ArtiStream>> {
        let core = Arc::clone(&self.core);
        let work =
            async move { core.connect(host, port(port_number)?, limit(timeout_ms)?, isolated.unwrap_or(false)).await };
        promise(env, work, |_, stream| Ok(stream.into()))
    }

    /// Offers an onion service.
    #[napi]
    pub fn serve_onion<'env>(
        &self,
        env: &'env Env,
        nickname: String,
        ports: Vec<f64>,
    ) -> Result<PromiseRaw<'env, OnionListener>> {
        let core = Arc::clone(&self.core);
        let work = async move {
            let ports = ports.into_iter().map(port).collect::<std::result::Result<_, _>>()?;
            core.serve_onion(nickname, ports).await
        };
        promise(env, work, |_, listener| Ok(listener.into()))
    }

    /// Ends the client and everything that is pending.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        let core = Arc::clone(&self.core);
        nothing(env, async move {
            core.close().await;
            Ok(())
        })
    }
}
