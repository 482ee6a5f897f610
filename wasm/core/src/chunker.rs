//! How a body becomes frames: equal chunks of a stream, or fragments that fill the frame cap.

use crate::caps::{CAPABILITY_BYTES, CHUNK_BYTES, FRAME_BYTES, HEADER_BYTES};
use crate::encoder::encoded_len;
use crate::flags;
use crate::header::{Fault, Header};

/// Headers that one call of [`write_headers`] writes at most: one MiB of full chunks.
pub const HEADERS_A_CALL: usize = 16;
/// Room for them.
pub const HEADER_BLOCK: usize = HEADERS_A_CALL * HEADER_BYTES;

/// How `len` bytes fall into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunks {
    /// All of them.
    pub count: usize,
    /// Those of full size.
    pub full: usize,
    /// Size of the last one; 0 when there is none.
    pub last: usize,
}

/// Cuts `len` bytes into chunks of `chunk` bytes; `None` for a chunk size of 0 or above [`CHUNK_BYTES`].
pub fn chunks(len: usize, chunk: usize) -> Option<Chunks> {
    if chunk == 0 || chunk > CHUNK_BYTES {
        return None;
    }
    let (full, rest) = (len / chunk, len % chunk);
    let last = if rest > 0 { rest } else { chunk.min(len) };
    Some(Chunks { count: full + usize::from(rest > 0), full, last })
}

/// A piece of a body for [`write_headers`].
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Bytes of the body.
    pub total: usize,
    /// Bytes of it that already have a header.
    pub from: usize,
    /// Payload of a frame.
    pub max_chunk: usize,
    /// What every header shares. START is kept by the header at offset 0, END by the one that reaches `total`.
    pub head: Header,
}

/// Writes up to [`HEADERS_A_CALL`] headers, 38 bytes apart, and returns how many. An empty body gets one header; a body
/// that has all its headers gets none. `None` for a chunk size of 0 or above [`CHUNK_BYTES`], and for flags that no
/// decoder takes.
pub fn write_headers(piece: &Piece, block: &mut [u8; HEADER_BLOCK]) -> Option<usize> {
    let Piece { total, mut from, max_chunk, head } = *piece;
    if max_chunk == 0 || max_chunk > CHUNK_BYTES || head.flags & !flags::KNOWN != 0 {
        return None;
    }
    let (slots, _) = block.as_chunks_mut::<HEADER_BYTES>();
    let mut count = 0;
    for slot in slots {
        if from > total || (from == total && (total > 0 || count > 0)) {
            break;
        }
        let payload = max_chunk.min(total - from);
        let mut bits = head.flags;
        if from > 0 {
            bits &= !flags::START;
        }
        from += payload;
        if from < total {
            bits &= !flags::END;
        }
        Header { len: (HEADER_BYTES + payload) as u32, flags: bits, cap_len: 0, ..head }.write(slot);
        count += 1;
    }
    Some(count)
}

/// One frame of a fragmented payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Where its payload starts in the whole.
    pub offset: usize,
    /// Length of its payload.
    pub payload: usize,
    /// Length of its capability: the first fragment alone has one.
    pub capability: usize,
    /// The caller's flags, START on the first, END on the last.
    pub flags: u16,
}

/// Cuts a payload into frames of `max_frame` bytes. Every piece but the last is of full size, the first makes room for
/// the capability, an empty payload gives one empty frame. The whole may be longer than any cap: frames are made one by
/// one, as they are asked for.
pub fn fragment(
    payload: usize,
    capability: usize,
    bits: u16,
    max_frame: usize,
) -> Result<impl Iterator<Item = Fragment>, Fault> {
    let max_frame = max_frame.min(FRAME_BYTES);
    if capability > CAPABILITY_BYTES {
        return Err(Fault::CapOutOfBounds);
    }
    let smallest = usize::from(payload > 0); // a frame has to move the payload on
    encoded_len(bits | flags::START, 0, smallest, max_frame)?;
    encoded_len(bits | flags::START, capability, 0, max_frame)?;
    let shared = bits & !(flags::START | flags::END);
    let (mut offset, mut capability, mut done) = (0, capability, false);
    let mut lead = flags::START;
    Ok(std::iter::from_fn(move || {
        if done {
            return None;
        }
        let size = (payload - offset).min(max_frame - HEADER_BYTES - capability);
        done = offset + size == payload;
        let tail = if done { flags::END } else { 0 };
        let one = Fragment { offset, payload: size, capability, flags: shared | lead | tail };
        offset += size;
        (capability, lead) = (0, 0);
        Some(one)
    }))
}
