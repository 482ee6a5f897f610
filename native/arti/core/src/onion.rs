//! An onion service.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use arti_client::TorClient;
use futures::StreamExt;
use safelog::DisplayRedacted;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tor_cell::relaycell::msg::{Connected, End, EndReason};
use tor_hsservice::config::OnionServiceConfigBuilder;
use tor_hsservice::{RendRequest, RunningOnionService, StreamRequest};
use tor_proto::stream::IncomingStreamRequest;
use tor_rtcompat::tokio::TokioRustlsRuntime;

use crate::errors::{Fault, causes};
use crate::stream::Stream;

/// Circuits of clients at one time; further ones wait.
const MAX_CIRCUITS: usize = 1024;
/// Streams at one time by one circuit; Arti closes a circuit that wants more.
const MAX_STREAMS: u32 = 1024;
/// Streams that nobody has accepted; further ones wait in their circuits.
const BACKLOG: usize = 64;
/// How long a circuit to the client's rendezvous point may take.
const RENDEZVOUS: Duration = Duration::from_secs(60);

/// An onion service.
pub struct Listener {
    address: String,
    /// Withdrawn when it is dropped.
    service: StdMutex<Option<Arc<RunningOnionService>>>,
    waiting: Mutex<mpsc::Receiver<Waiting>>,
    /// Ended with the listener.
    stop: CancellationToken,
    /// Ended with the client; what streams live by.
    client: CancellationToken,
}

/// A stream that was asked for, and the circuit it came by.
struct Waiting {
    request: StreamRequest,
    circuit: u64,
}

/// Starts a service. To be called on the client's runtime.
pub(crate) fn launch(
    tor: &TorClient<TokioRustlsRuntime>,
    nickname: &str,
    ports: Vec<u16>,
    client: CancellationToken,
) -> Result<Listener, Fault> {
    if ports.is_empty() {
        return Err(Fault::invalid_config("an onion service wants at least one port"));
    }
    let nickname = nickname.parse().map_err(|error| Fault::invalid_config(causes(&error)))?;
    let config = OnionServiceConfigBuilder::default()
        .nickname(nickname)
        .max_concurrent_streams_per_circuit(MAX_STREAMS)
        .build()
        .map_err(|error| Fault::invalid_config(causes(&error)))?;
    let (service, circuits) = tor
        .launch_onion_service(config)
        .map_err(|error| Fault::arti(&error, None))?
        .ok_or_else(|| Fault::new("Internal", "the service is not enabled"))?;
    let address = service.onion_address().ok_or_else(|| Fault::new("Internal", "the service has no key"))?;
    let (queue, waiting) = mpsc::channel(BACKLOG);
    let stop = client.child_token();
    let arrivals = accept_circuits(circuits, ports.into(), queue);
    tokio::spawn(stop.clone().run_until_cancelled_owned(arrivals));
    Ok(Listener {
        address: address.display_unredacted().to_string(),
        service: StdMutex::new(Some(service)),
        waiting: Mutex::new(waiting),
        stop,
        client,
    })
}

impl Listener {
    /// Its name, ending in `.onion`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The next stream; nothing once it is closed.
    pub async fn accept(&self) -> Option<Stream> {
        let accepted = async {
            loop {
                let Waiting { request, circuit } = self.waiting.lock().await.recv().await?;
                // One whose client is gone by now is nobody's loss.
                if let Ok(stream) = request.accept(Connected::new_empty()).await {
                    return Some(Stream::new(stream, circuit, &self.client));
                }
            }
        };
        self.stop.run_until_cancelled(accepted).await.flatten()
    }

    /// Withdraws the service. Streams that were accepted go on; those that wait are refused.
    pub async fn close(&self) {
        self.stop.cancel();
        drop(self.service.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut waiting = self.waiting.lock().await;
        waiting.close();
        while waiting.try_recv().is_ok() {}
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept_circuits(
    circuits: impl futures::Stream<Item = RendRequest> + Send,
    ports: Arc<[u16]>,
    queue: mpsc::Sender<Waiting>,
) {
    let permits = Arc::new(Semaphore::new(MAX_CIRCUITS));
    let mut circuits = std::pin::pin!(circuits);
    while let Some(request) = circuits.next().await {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        tokio::spawn(accept_streams(request, Arc::clone(&ports), queue.clone(), permit));
    }
}

/// Meets one client, and passes on the streams that it opens.
async fn accept_streams(
    request: RendRequest,
    ports: Arc<[u16]>,
    queue: mpsc::Sender<Waiting>,
    _permit: OwnedSemaphorePermit,
) {
    let Ok(Ok(mut streams)) = timeout(RENDEZVOUS, request.accept()).await else { return };
    let circuit = next_circuit();
    while let Some(request) = streams.next().await {
        let wanted = matches!(request.request(), IncomingStreamRequest::Begin(begin) if ports.contains(&begin.port()));
        if wanted {
            if queue.send(Waiting { request, circuit }).await.is_err() {
                return;
            }
        } else if request.reject(End::new_with_reason(EndReason::DONE)).await.is_err() {
            // DONE for everything, or a service could be told from others by how it refuses.
            return;
        }
    }
}

fn next_circuit() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
