//! Whole frames out of slices of any size.

use crate::caps::{HEADER_BYTES, frame_limit_is_legal};
use crate::flags;
use crate::guard::{Codec, Guard, GuardError};
use crate::header::{Fault, Header, check};

/// A frame. An empty capability or payload is an absent one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// See [`flags`]; COMP is cleared once the payload was inflated.
    pub flags: u16,
    /// Status or application code.
    pub code: u16,
    /// Application protocol.
    pub app_proto_id: u16,
    /// Tenant.
    pub tenant_id: u128,
    /// Correlation.
    pub corr_id: u64,
    /// Opaque; never logged.
    pub capability: Vec<u8>,
    /// Opaque.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Length as the header would state it. An inflated payload may take it past the cap.
    pub fn len(&self) -> usize {
        HEADER_BYTES + self.capability.len() + self.payload.len()
    }

    /// A frame always has a header.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// Turns a byte stream into frames. How the stream was cut never changes the result.
///
/// * A fault poisons it: the frames before it are delivered, then every feed answers the same fault.
/// * It holds the bytes that came, never the bytes that a header promises.
/// * Every byte is looked at once, whatever the slices.
pub struct Decoder {
    max_frame: usize,
    guard: Option<Guard>,
    held: Vec<u8>,
    /// Length at which `held` can move on: a header, or the whole frame once its header was accepted.
    goal: usize,
    fault: Option<Fault>,
}

impl Decoder {
    /// A decoder with its own frame limit; `None` when the limit is above the cap or below a header. Without `inflate` a
    /// compressed frame is [`Fault::CodecMissing`].
    pub fn new(max_frame: usize, inflate: bool) -> Option<Decoder> {
        frame_limit_is_legal(max_frame).then(|| Decoder {
            max_frame,
            guard: inflate.then(Guard::new),
            held: Vec::new(),
            goal: HEADER_BYTES,
            fault: None,
        })
    }

    /// Takes the bytes and appends the frames that they complete. Frames before a fault are appended too.
    pub fn push(&mut self, mut bytes: &[u8], frames: &mut Vec<Frame>) -> Result<(), Fault> {
        while self.fault.is_none() && !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(self.goal - self.held.len()));
            self.held.extend_from_slice(taken);
            bytes = rest;
            if self.held.len() == self.goal
                && let Err(fault) = self.advance(frames)
            {
                self.fault = Some(fault);
                self.held = Vec::new();
            }
        }
        self.fault.map_or(Ok(()), Err)
    }

    /// Bytes held of an unfinished frame. At the end of input they mean a truncated stream.
    pub fn pending(&self) -> usize {
        self.held.len()
    }

    /// Bytes reserved for them; follows what arrived.
    pub fn capacity(&self) -> usize {
        self.held.capacity()
    }

    /// The fault that stopped this decoder.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    fn advance(&mut self, frames: &mut Vec<Frame>) -> Result<(), Fault> {
        let head = self.held.first_chunk::<HEADER_BYTES>().expect("a goal is never below a header");
        if self.held.len() == HEADER_BYTES {
            self.goal = check(head, self.max_frame)?;
        }
        if self.held.len() == self.goal {
            let header = Header::read(head);
            frames.push(self.finish(header)?);
            self.held.clear();
            self.goal = HEADER_BYTES;
        }
        Ok(())
    }

    fn finish(&mut self, header: Header) -> Result<Frame, Fault> {
        let body = HEADER_BYTES + usize::from(header.cap_len);
        let payload = &self.held[body..];
        let compressed = header.flags & flags::COMP != 0;
        Ok(Frame {
            flags: if compressed { header.flags & !flags::COMP } else { header.flags },
            code: header.code,
            app_proto_id: header.app_proto_id,
            tenant_id: header.tenant_id,
            corr_id: header.corr_id,
            capability: self.held[HEADER_BYTES..body].to_vec(),
            payload: match &mut self.guard {
                _ if !compressed => payload.to_vec(),
                None => return Err(Fault::CodecMissing),
                Some(guard) => inflate(guard, payload, self.max_frame)?,
            },
        })
    }
}

/// A compressed payload of the wire: empty, or exactly one zstd frame within the limits.
fn inflate(guard: &mut Guard, payload: &[u8], max_out: usize) -> Result<Vec<u8>, Fault> {
    if payload.is_empty() {
        return Ok(Vec::new());
    }
    guard.inflate(Codec::Zstd, payload, max_out).map_err(|e| match e {
        GuardError::TooLarge | GuardError::DeclaredTooLarge => Fault::DecompressBoundExceeded,
        GuardError::Corrupt | GuardError::Unsupported => Fault::CodecError,
    })
}
