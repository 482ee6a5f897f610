//! The same core behind the contract of `wit/oap.wit`: for hosts other than JavaScript, and as a second opinion in
//! tests. The library never imports it, a call costs microseconds.
//!
//! This is the one crate of the workspace that cannot `forbid(unsafe_code)`: what `wit_bindgen::generate!` and `export!`
//! write for the canonical ABI is unsafe in four ways, and none of it is ours:
//!
//! * exported functions are `#[unsafe(export_name = …)]`, which `forbid` counts as unsafe code;
//! * arguments arrive as pointer and length and become vectors by `Vec::from_raw_parts`;
//! * results leave through a static return area, written and freed by pointer;
//! * a resource handle is a boxed value turned into a pointer and back.
//!
//! All of that is kept in the module `abi`; the code below is checked with `deny(unsafe_code)`.
#![deny(unsafe_code)]

/// Generated code, and nothing else.
#[allow(unsafe_code, clippy::all)]
mod abi {
    wit_bindgen::generate!({ world: "oap", path: "../wit", pub_export_macro: true });
    export!(Component);

    /// The implementation, see the parent module.
    pub struct Component;
}

use abi::Component;
use abi::exports::ron::transport::codec::{self, Batch, Chunking, Error, Fault, FragmentRun, Frame};
use abi::exports::ron::transport::guard::{self, Format};
use ron_transport_core::caps::{CHUNK_BYTES, FRAME_BYTES};
use ron_transport_core::guard::{Codec, Guard, GuardError, budget};
use ron_transport_core::header;
use ron_transport_core::{chunker, decoder, encoder};
use std::cell::RefCell;

/// A connection's decoder, as a resource of the host.
pub struct Decoder(RefCell<decoder::Decoder>);

impl codec::Guest for Component {
    type Decoder = Decoder;

    fn encode(frame: Frame, max_frame: u32) -> Result<Vec<u8>, Error> {
        let max_frame = limit(max_frame, FRAME_BYTES)?;
        encoder::encode(&lift(frame), max_frame).map_err(fault)
    }

    fn may_compress(raw: u32, compressed: u32, max_frame: u32) -> bool {
        encoder::may_compress(raw as usize, compressed as usize, max_frame as usize)
    }

    fn chunk(len: u32, chunk_bytes: u32) -> Result<Chunking, Error> {
        let cut = chunker::chunks(len as usize, chunk_bytes as usize).ok_or(Error::AboveCeiling(CHUNK_BYTES as u32))?;
        Ok(Chunking { count: cut.count as u32, full: cut.full as u32, last: cut.last as u32 })
    }

    fn fragment(payload_len: u32, capability_len: u32, flags: u16, max_frame: u32) -> Result<Vec<FragmentRun>, Error> {
        let max_frame = limit(max_frame, FRAME_BYTES)?;
        let pieces =
            chunker::fragment(payload_len as usize, capability_len as usize, flags, max_frame).map_err(fault)?;
        let mut runs: Vec<FragmentRun> = Vec::new(); // first, middle, last: never more
        for piece in pieces {
            let (payload, capability) = (piece.payload as u32, piece.capability as u32);
            match runs.last_mut() {
                Some(run) if (run.payload_len, run.capability_len, run.flags) == (payload, capability, piece.flags) => {
                    run.times += 1;
                }
                _ => runs.push(FragmentRun {
                    times: 1,
                    payload_len: payload,
                    capability_len: capability,
                    flags: piece.flags,
                }),
            }
        }
        Ok(runs)
    }
}

impl codec::GuestDecoder for Decoder {
    fn open(max_frame: u32, inflate: bool) -> Result<codec::Decoder, Error> {
        let decoder = decoder::Decoder::new(limit(max_frame, FRAME_BYTES)?, inflate)
            .ok_or(Error::Fault(Fault::TruncatedHeader))?;
        Ok(codec::Decoder::new(Decoder(RefCell::new(decoder))))
    }

    fn push(&self, bytes: Vec<u8>) -> Batch {
        let mut decoder = self.0.borrow_mut();
        let mut frames = Vec::new();
        let fault = decoder.push(&bytes, &mut frames).err().map(lower_fault);
        Batch { frames: frames.into_iter().map(lower).collect(), fault, pending: decoder.pending() as u32 }
    }
}

thread_local! {
    static GUARD: RefCell<Guard> = RefCell::new(Guard::new());
}

impl guard::Guest for Component {
    fn inflate(format: Format, input: Vec<u8>, max_out: u32) -> Result<Vec<u8>, guard::Error> {
        let max_out = max_out as usize;
        if input.len() > FRAME_BYTES || max_out > FRAME_BYTES {
            return Err(guard::Error::AboveCeiling(FRAME_BYTES as u32));
        }
        let codec = match format {
            Format::Zstd => Codec::Zstd,
            Format::Gzip => Codec::Gzip,
            Format::Zlib => Codec::Zlib,
            Format::Deflate => Codec::Deflate,
        };
        GUARD.with_borrow_mut(|guard| guard.inflate(codec, &input, max_out)).map_err(|e| match e {
            GuardError::Corrupt => guard::Error::Corrupt,
            GuardError::TooLarge | GuardError::DeclaredTooLarge => {
                guard::Error::TooLarge(budget(input.len(), max_out) as u32)
            }
            GuardError::Unsupported => guard::Error::Unsupported,
        })
    }
}

/// A limit that the host chose: it can lower the ceiling only.
fn limit(asked: u32, ceiling: usize) -> Result<usize, Error> {
    let asked = asked as usize;
    if asked > ceiling { Err(Error::AboveCeiling(ceiling as u32)) } else { Ok(asked) }
}

fn fault(fault: header::Fault) -> Error {
    Error::Fault(lower_fault(fault))
}

fn lower_fault(fault: header::Fault) -> Fault {
    match fault {
        header::Fault::FrameTooLarge => Fault::FrameTooLarge,
        header::Fault::BadVersion => Fault::BadVersion,
        header::Fault::BadFlags => Fault::BadFlags,
        header::Fault::CapOnNonStart => Fault::CapOnNonStart,
        header::Fault::CapOutOfBounds => Fault::CapOutOfBounds,
        header::Fault::TruncatedHeader => Fault::TruncatedHeader,
        header::Fault::CodecMissing => Fault::CodecMissing,
        header::Fault::DecompressBoundExceeded => Fault::DecompressBoundExceeded,
        header::Fault::CodecError => Fault::CodecError,
    }
}

fn lower(frame: decoder::Frame) -> Frame {
    Frame {
        flags: frame.flags,
        code: frame.code,
        app_proto_id: frame.app_proto_id,
        tenant_id: ((frame.tenant_id >> 64) as u64, frame.tenant_id as u64),
        corr_id: frame.corr_id,
        capability: frame.capability,
        payload: frame.payload,
    }
}

fn lift(frame: Frame) -> decoder::Frame {
    decoder::Frame {
        flags: frame.flags,
        code: frame.code,
        app_proto_id: frame.app_proto_id,
        tenant_id: u128::from(frame.tenant_id.0) << 64 | u128::from(frame.tenant_id.1),
        corr_id: frame.corr_id,
        capability: frame.capability,
        payload: frame.payload,
    }
}
