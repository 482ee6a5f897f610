//! A client with threads of its own.
//!
//! Dropping an Arti client does not end its background tasks; dropping the runtime they run on does. So each client has
//! one, and closing shuts it down.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arti_client::config::BoolOrAuto;
use arti_client::status::{BlockageKind, BootstrapStatus};
use arti_client::{BootstrapBehavior, ErrorKind, HasKind, StreamPrefs, TorClient};
use futures::StreamExt;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OnceCell, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tor_rtcompat::tokio::TokioRustlsRuntime;

use crate::attempts::{first_answer, pause};
use crate::config;
use crate::errors::{Fault, unless};
use crate::onion::{self, Listener};
use crate::progress::Progress;
use crate::storage::Storage;
use crate::stream::Stream;

/// One for the circuits, and one so that a directory that is read does not hold them up.
const WORKERS: usize = 2;
const BLOCKING_THREADS: usize = 16;
/// How long closing waits for threads that compute; then they end by themselves.
const SHUTDOWN: Duration = Duration::from_millis(400);
/// Between attempts when Arti has given one up; it doubles up to the last.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// Until progress is told again to one who could not take it.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

type Tor = Arc<TorClient<TokioRustlsRuntime>>;

/// Where the state lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder that stays.
    Kept(PathBuf),
    /// A folder on tmpfs, in which a private one is made and removed again.
    Memory(PathBuf),
}

/// What a client needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Arti's configuration as TOML.
    pub config: String,
    /// Where its state lies.
    pub place: Place,
}

/// Is told of progress, and says whether it could take it; if not, it is told a little later how far things are then.
pub type OnProgress = Box<dyn Fn(Progress) -> bool + Send>;

/// A Tor client.
pub struct Client {
    running: Mutex<Option<Running>>,
    boot: watch::Receiver<Boot>,
    /// Ends everything that is pending.
    stop: CancellationToken,
    closed: OnceCell<()>,
}

/// What closing takes down. Dropped in this order.
struct Running {
    tor: Tor,
    runtime: Runtime,
    storage: Storage,
}

#[derive(Clone, Debug)]
enum Boot {
    Pending,
    Done,
    Failed(Fault),
}

impl Client {
    /// Makes a client, which bootstraps in the background. To be called on a Tokio runtime, which is not the client's.
    ///
    /// # Errors
    ///
    /// Faults of the configuration and of the place for the state.
    pub async fn start(options: Options, on_progress: OnProgress) -> Result<Self, Fault> {
        install_crypto();
        let storage = Storage::open(&options.place)?;
        let config = config::resolve(&options.config, &storage)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("arti")
            .enable_all()
            .build()
            .map_err(|error| Fault::new("LocalResourceExhausted", error))?;
        let (report, boot) = watch::channel(Boot::Pending);
        let create = runtime.spawn(async move {
            let current = TokioRustlsRuntime::current().map_err(|error| Fault::new("Internal", error))?;
            let tor = TorClient::with_runtime(current)
                .config(config)
                .bootstrap_behavior(BootstrapBehavior::Manual)
                .create_unbootstrapped_async()
                .await
                .map_err(|error| Fault::arti(&error, None))?;
            tokio::spawn(watch_progress(Arc::clone(&tor), on_progress));
            tokio::spawn(bootstrap(Arc::clone(&tor), report));
            Ok(tor)
        });
        match create.await.unwrap_or_else(|error| Err(Fault::new("Internal", error))) {
            Ok(tor) => Ok(Self {
                running: Mutex::new(Some(Running { tor, runtime, storage })),
                boot,
                stop: CancellationToken::new(),
                closed: OnceCell::new(),
            }),
            Err(fault) => {
                runtime.shutdown_background();
                Err(fault)
            }
        }
    }

    /// Whether traffic can flow.
    pub fn ready(&self) -> bool {
        self.parts().is_ok_and(|(tor, _)| tor.bootstrap_status().ready_for_traffic())
    }

    /// Waits until it has bootstrapped once.
    ///
    /// # Errors
    ///
    /// `BootstrapTimeout` after `limit`, while bootstrapping goes on; or why it cannot succeed.
    pub async fn bootstrapped(&self, limit: Duration) -> Result<(), Fault> {
        let (tor, _) = self.parts()?;
        let mut boot = self.boot.clone();
        let settled = async {
            match boot.wait_for(|state| !matches!(state, Boot::Pending)).await.as_deref() {
                Ok(Boot::Failed(fault)) => Err(fault.clone()),
                Ok(_) => Ok(()),
                Err(_) => Err(Fault::closed()),
            }
        };
        match timeout(limit, unless(&self.stop, settled)).await {
            Ok(result) => result,
            Err(_) => {
                let seen = tor.bootstrap_status();
                Err(Fault::new("BootstrapTimeout", format_args!("not within {} ms: {seen}", limit.as_millis())))
            }
        }
    }

    /// Opens a stream by an exit, or to an onion service.
    ///
    /// One that is `isolated` shares nothing with others: no circuit, and no descriptor of a service, which Arti
    /// keeps and uses even when the service has started anew since. So are the further attempts at an onion service
    /// that does not answer; see [`crate::attempts`].
    ///
    /// # Errors
    ///
    /// `RemoteNetworkTimeout` after `limit`, or Arti's kind.
    pub async fn connect(&self, host: String, port: u16, limit: Duration, isolated: bool) -> Result<Stream, Fault> {
        let (tor, handle) = self.parts()?;
        let stop = self.stop.clone();
        let dial = async move {
            let attempt = |n: u32| {
                let (tor, host) = (Arc::clone(&tor), host.clone());
                async move {
                    let mut prefs = StreamPrefs::new();
                    prefs.connect_to_onion_services(BoolOrAuto::Explicit(true));
                    if isolated || n > 0 {
                        prefs.new_isolation_group();
                    }
                    tor.connect_with_prefs((host.as_str(), port), &prefs).await
                }
            };
            let dialled = async {
                Ok(match is_onion(&host) {
                    true => first_answer(pause(limit), attempt, is_from_service).await,
                    // By an exit a second attempt would be a second connection to somebody who is only slow.
                    false => attempt(0).await,
                })
            };
            match timeout(limit, unless(&stop, dialled)).await {
                Err(_) => {
                    Err(Fault::new("RemoteNetworkTimeout", format_args!("no stream within {} ms", limit.as_millis())))
                }
                Ok(Err(fault)) => Err(fault),
                Ok(Ok(Err(error))) => Err(Fault::arti(&error, Some(&host))),
                Ok(Ok(Ok(stream))) => Ok(Stream::new(stream, 0, &stop)),
            }
        };
        // A runtime that is shut down forgets its tasks.
        handle.spawn(dial).await.unwrap_or_else(|_| Err(Fault::closed()))
    }

    /// Offers an onion service at these ports.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` for a bad nickname or no port, or Arti's kind.
    pub async fn serve_onion(&self, nickname: String, ports: Vec<u16>) -> Result<Listener, Fault> {
        let (tor, handle) = self.parts()?;
        let stop = self.stop.child_token();
        handle
            .spawn(async move { onion::launch(&tor, &nickname, ports, stop) })
            .await
            .unwrap_or_else(|_| Err(Fault::closed()))
    }

    /// Ends the client and everything that is pending. Whoever calls it meanwhile waits for the same end.
    pub async fn close(&self) {
        self.closed
            .get_or_init(|| async {
                self.stop.cancel();
                let Some(running) = self.take() else { return };
                let ended = spawn_blocking(move || {
                    let Running { tor, runtime, storage } = running;
                    drop(tor);
                    runtime.shutdown_timeout(SHUTDOWN);
                    drop(storage);
                });
                ended.await.expect("nothing in it panics");
            })
            .await;
    }

    fn parts(&self) -> Result<(Tor, Handle), Fault> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.as_ref().ok_or_else(Fault::closed)?;
        Ok((Arc::clone(&running.tor), running.runtime.handle().clone()))
    }

    fn take(&self) -> Option<Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(Running { tor, runtime, storage }) = self.take() {
            drop(tor);
            // It may be the last thing that a thread of some runtime does, and must not wait there.
            runtime.shutdown_background();
            drop(storage);
        }
    }
}

/// Arti leaves the choice of a TLS provider to the program. One that is there already is as good.
fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

async fn watch_progress(tor: Tor, on_progress: OnProgress) {
    let mut events = tor.bootstrap_events();
    while let Some(status) = events.next().await {
        if not_begun(&status) {
            continue;
        }
        let mut taken = on_progress(Progress::from(&status));
        while !taken {
            sleep(PROGRESS_PAUSE).await;
            taken = on_progress(Progress::from(&tor.bootstrap_status()));
        }
    }
}

/// Arti calls itself blocked as long as it was not told to bootstrap, which it is at once.
fn not_begun(status: &BootstrapStatus) -> bool {
    status.blocked().is_some_and(|why| matches!(why.kind(), BlockageKind::Disabled))
}

/// Arti tries by itself for very long; when it has given up for a reason that may pass, it is asked again.
async fn bootstrap(tor: Tor, report: watch::Sender<Boot>) {
    let [mut pause, longest] = RETRY;
    let state = loop {
        match tor.bootstrap().await {
            Ok(()) => break Boot::Done,
            Err(error) if is_lasting(error.kind()) => break Boot::Failed(Fault::arti(&error, None)),
            Err(_) => sleep(pause).await,
        }
        pause = longest.min(pause * 2);
    };
    report.send_replace(state);
}

fn is_onion(host: &str) -> bool {
    host.trim_end_matches('.').to_ascii_lowercase().ends_with(".onion")
}

/// Whether the onion service itself has said no, so that it was reached.
fn is_from_service(error: &arti_client::Error) -> bool {
    use ErrorKind::*;
    matches!(error.kind(), RemoteConnectionRefused | RemoteStreamClosed | RemoteStreamError | RemoteStreamReset)
}

/// Whether trying again cannot help.
fn is_lasting(kind: ErrorKind) -> bool {
    use ErrorKind::*;
    matches!(
        kind,
        InvalidConfig
            | InvalidConfigTransition
            | NoHomeDirectory
            | FsPermissions
            | PersistentStateAccessFailed
            | PersistentStateCorrupted
            | CacheAccessFailed
            | CacheCorrupted
            | KeystoreAccessFailed
            | KeystoreCorrupted
            | SoftwareDeprecated
            | FeatureDisabled
            | NotImplemented
            | BadApiUsage
            | Internal
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// A network whose authorities do not answer.
    const NOWHERE: &str = r#"
[tor_network.authorities]
v3idents = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
uploads = [["127.0.0.1:1"]]
downloads = [["127.0.0.1:1"]]
votes = [["127.0.0.1:1"]]
[[tor_network.fallback_caches]]
rsa_identity = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
ed_identity = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
orports = ["127.0.0.1:1"]
"#;

    async fn nowhere(place: Place) -> Client {
        Client::start(Options { config: NOWHERE.to_owned(), place }, Box::new(|_| true)).await.unwrap()
    }

    fn kept(dir: &tempfile::TempDir) -> Place {
        Place::Kept(dir.path().join("state"))
    }

    #[test]
    fn onion_services_are_told_from_other_hosts() {
        for host in ["abc.onion", "www.abc.Onion", "abc.onion."] {
            assert!(is_onion(host), "{host}");
        }
        for host in ["onion", "abc.onion.test", "192.0.2.1", ""] {
            assert!(!is_onion(host), "{host}");
        }
    }

    #[tokio::test]
    async fn it_tells_that_it_has_not_bootstrapped_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let client = nowhere(kept(&dir)).await;
        for _ in 0..2 {
            let start = Instant::now();
            let fault = client.bootstrapped(Duration::from_millis(100)).await.unwrap_err();
            assert_eq!(fault.code, "BootstrapTimeout");
            assert!(start.elapsed() >= Duration::from_millis(100));
            assert!(!fault.message.contains("127.0.0.1"), "{}", fault.message);
        }
        assert!(!client.ready());
        client.close().await;
    }

    #[tokio::test]
    async fn closing_settles_what_waits() {
        let dir = tempfile::tempdir().unwrap();
        let client = nowhere(kept(&dir)).await;
        let far = Duration::from_secs(60);
        let (waiting, dialling, ()) =
            tokio::join!(client.bootstrapped(far), client.connect("192.0.2.1".to_owned(), 80, far, false), async {
                sleep(Duration::from_millis(50)).await;
                client.close().await;
            });
        assert_eq!(waiting.unwrap_err().code, "Closed");
        // whatever it says, it says it now
        assert!(dialling.is_err());
        client.close().await;
        assert_eq!(client.bootstrapped(far).await.unwrap_err().code, "Closed");
    }

    #[tokio::test]
    async fn a_bad_configuration_leaves_nothing() {
        let dir = tempfile::Builder::new().prefix("client-test-").tempdir_in("/dev/shm").unwrap();
        let options = Options { config: "[nonsense]".to_owned(), place: Place::Memory(dir.path().to_owned()) };
        let fault = Client::start(options, Box::new(|_| true)).await.err().unwrap();
        assert!(["InvalidConfig", "Swap"].contains(&&*fault.code), "{fault}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
