//! A frame as bytes. What leaves here is accepted by [`crate::decoder`].

use crate::caps::{CAPABILITY_BYTES, FRAME_BYTES, HEADER_BYTES, INFLATE_RATIO};
use crate::decoder::Frame;
use crate::flags;
use crate::header::{Fault, Header};

/// The bytes of `frame`, or the first fault in the order of the protocol: capability length, size, capability without
/// START, flags. Lengths are computed, never taken from the caller. `max_frame` lowers the cap; a larger one counts as
/// the cap. A payload marked COMP has to be compressed already, see [`may_compress`].
pub fn encode(frame: &Frame, max_frame: usize) -> Result<Vec<u8>, Fault> {
    let len = encoded_len(frame.flags, frame.capability.len(), frame.payload.len(), max_frame)?;
    let header = Header {
        len: len as u32,
        flags: frame.flags,
        code: frame.code,
        app_proto_id: frame.app_proto_id,
        tenant_id: frame.tenant_id,
        cap_len: frame.capability.len() as u16,
        corr_id: frame.corr_id,
    };
    let mut head = [0; HEADER_BYTES];
    header.write(&mut head);
    let mut bytes = Vec::with_capacity(len);
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&frame.capability);
    bytes.extend_from_slice(&frame.payload);
    Ok(bytes)
}

/// Length of a frame with these flags and parts, after every check that [`encode`] makes.
pub fn encoded_len(bits: u16, capability: usize, payload: usize, max_frame: usize) -> Result<usize, Fault> {
    if capability > CAPABILITY_BYTES {
        return Err(Fault::CapOutOfBounds);
    }
    let len = payload.checked_add(HEADER_BYTES + capability).ok_or(Fault::FrameTooLarge)?;
    if len > max_frame.min(FRAME_BYTES) {
        Err(Fault::FrameTooLarge)
    } else if capability > 0 && bits & flags::START == 0 {
        Err(Fault::CapOnNonStart)
    } else if !flags::sendable(bits) {
        Err(Fault::BadFlags)
    } else {
        Ok(len)
    }
}

/// May a sender mark a payload of `raw` bytes as compressed to `compressed` bytes? Only when every receiver that obeys
/// the ratio and the cap can inflate it, and when it is smaller.
pub fn may_compress(raw: usize, compressed: usize, max_frame: usize) -> bool {
    compressed < raw && raw <= max_frame.min(FRAME_BYTES) && raw <= compressed.saturating_mul(INFLATE_RATIO)
}
