//! A stream of either direction.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tor_cell::relaycell::msg::EndReason;
use tor_proto::client::stream::{DataReader, DataStream, DataWriter};

use crate::errors::Fault;

/// More than what one cell of Tor carries.
const CELL: usize = 512;

/// A stream. It stays open until it is closed here, by its peer, or with its circuit.
pub struct Stream {
    circuit: u64,
    reader: Mutex<Option<Reader>>,
    writer: Mutex<Option<DataWriter>>,
    /// Whether END was sent from here.
    ended: AtomicBool,
    stop: CancellationToken,
}

struct Reader {
    inner: DataReader,
    /// How it ended, which every later read tells as well; Arti tells it once only.
    end: Option<Result<(), Fault>>,
}

impl Stream {
    pub(crate) fn new(stream: DataStream, circuit: u64, parent: &CancellationToken) -> Self {
        let (inner, writer) = stream.split();
        Self {
            circuit,
            reader: Mutex::new(Some(Reader { inner, end: None })),
            writer: Mutex::new(Some(writer)),
            ended: AtomicBool::new(false),
            stop: parent.child_token(),
        }
    }

    /// The number of the circuit it came by; 0 for one that was dialled.
    pub fn circuit(&self) -> u64 {
        self.circuit
    }

    /// What is at hand, at most `limit` bytes; waits for the first. Nothing at the peer's END.
    ///
    /// A client of Tor gives no reason for its END, so one that has given up looks the same as one that is done.
    ///
    /// # Errors
    ///
    /// `Closed`, or how the stream ended.
    pub async fn read(&self, limit: usize) -> Result<Vec<u8>, Fault> {
        let mut half = self.reader.lock().await;
        let reader = half.as_mut().ok_or_else(Fault::closed)?;
        match self.unless_closed(reader.fill(limit, &self.ended)).await {
            Some(result) => result,
            None => {
                *half = None;
                Err(Fault::closed())
            }
        }
    }

    /// Writes all of `bytes` and flushes.
    ///
    /// # Errors
    ///
    /// `Closed`, also after [`Stream::end`], or how the stream ended.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), Fault> {
        let mut half = self.writer.lock().await;
        let writer = half.as_mut().ok_or_else(Fault::closed)?;
        let work = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        match self.unless_closed(work).await {
            Some(result) => result.map_err(|error| Fault::stream(&error)),
            None => {
                *half = None;
                Err(Fault::closed())
            }
        }
    }

    /// Sends END after what was written.
    ///
    /// # Errors
    ///
    /// `Closed`, or how the stream ended before.
    pub async fn end(&self) -> Result<(), Fault> {
        let Some(mut writer) = self.writer.lock().await.take() else {
            return if self.stop.is_cancelled() { Err(Fault::closed()) } else { Ok(()) };
        };
        self.ended.store(true, Ordering::Release);
        match self.unless_closed(writer.close()).await {
            Some(Err(error)) if !is_gone(&error) => Err(Fault::stream(&error)),
            Some(_) => Ok(()),
            None => Err(Fault::closed()),
        }
    }

    /// Ends it at once. A half that is in use is let go of by its user.
    pub fn close(&self) {
        self.stop.cancel();
        if let Ok(mut half) = self.reader.try_lock() {
            *half = None;
        }
        if let Ok(mut half) = self.writer.try_lock() {
            *half = None;
        }
    }

    async fn unless_closed<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            done = work => Some(done),
        }
    }
}

impl Reader {
    /// Arti gives one cell a read: goes on as long as there is another.
    async fn fill(&mut self, limit: usize, ended_here: &AtomicBool) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        while bytes.len() < limit && self.end.is_none() {
            let from = bytes.len();
            bytes.resize(limit.min(from + CELL), 0);
            let read = self.inner.read(&mut bytes[from..]);
            let Some(outcome) = (if from == 0 { Some(read.await) } else { read.now_or_never() }) else {
                bytes.truncate(from);
                break;
            };
            let more = match outcome {
                Ok(more) => more,
                Err(error) => {
                    self.end = Some(judge(&error, ended_here.load(Ordering::Acquire)));
                    0
                }
            };
            bytes.truncate(from + more);
            if more == 0 {
                self.end.get_or_insert(Ok(()));
            }
        }
        match &self.end {
            Some(Err(fault)) if bytes.is_empty() => Err(fault.clone()),
            _ => Ok(bytes),
        }
    }
}

/// Whether an error of a read is an orderly end.
fn judge(error: &io::Error, ended_here: bool) -> Result<(), Fault> {
    match inner(error) {
        // What clients send, whatever their reason is.
        Some(tor_proto::Error::EndReceived(EndReason::MISC)) => Ok(()),
        // After an END from here, the stream is gone once everything that had arrived was read.
        Some(tor_proto::Error::NotConnected) if ended_here => Ok(()),
        // Without an END from anybody, it went with its circuit.
        Some(tor_proto::Error::NotConnected) => Err(Fault::new("CircuitCollapse", "the circuit has ended")),
        _ => Err(Fault::stream(error)),
    }
}

/// Whether the stream is simply no longer there.
fn is_gone(error: &io::Error) -> bool {
    matches!(inner(error), Some(tor_proto::Error::NotConnected))
}

fn inner(error: &io::Error) -> Option<&tor_proto::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_that_say_nothing_are_orderly() {
        let of = |error: tor_proto::Error, ended_here| judge(&io::Error::from(error), ended_here);
        assert_eq!(of(tor_proto::Error::EndReceived(EndReason::MISC), false), Ok(()));
        assert_eq!(of(tor_proto::Error::NotConnected, true), Ok(()));
        for (error, code) in [
            (tor_proto::Error::NotConnected, "CircuitCollapse"),
            (tor_proto::Error::EndReceived(EndReason::CONNRESET), "RemoteStreamReset"),
            (tor_proto::Error::EndReceived(EndReason::DESTROY), "CircuitCollapse"),
            (tor_proto::Error::CircuitClosed, "CircuitCollapse"),
        ] {
            assert_eq!(of(error, false).unwrap_err().code, code);
        }
    }
}
