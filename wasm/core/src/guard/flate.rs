//! gzip, zlib and raw deflate, for callers outside the wire protocol.
//!
//! `zlib-rs` inflates; what it is lenient about is decided here: one member, no reserved flags, header checksum
//! verified, nothing after the trailer.

use super::{Codec, GuardError};
use zlib_rs::{Inflate, InflateError, InflateFlush, Status};

const WINDOW_BITS: u8 = 15;
const GZIP_TRAILER: usize = 8;

/// The state of `zlib-rs`, kept between inputs.
pub(super) struct Inflater(Inflate);

impl Inflater {
    pub fn new() -> Inflater {
        Inflater(Inflate::new(false, WINDOW_BITS))
    }

    pub fn inflate(&mut self, codec: Codec, input: &[u8], budget: usize, out: &mut [u8]) -> Result<usize, GuardError> {
        let (body, trailer) = match codec {
            Codec::Gzip => {
                let body = &input[gzip_header(input)?..];
                body.split_at(body.len().checked_sub(GZIP_TRAILER).ok_or(GuardError::Corrupt)?)
            }
            _ => (input, [].as_slice()),
        };
        let n = self.stream(body, codec == Codec::Zlib, budget, out)?;
        if codec == Codec::Gzip {
            let (sum, size) = (zlib_rs::crc32::crc32(0, &out[..n]), n as u32);
            if trailer[..4] != sum.to_le_bytes() || trailer[4..] != size.to_le_bytes() {
                return Err(GuardError::Corrupt);
            }
        }
        Ok(n)
    }

    /// One deflate stream that ends with the last byte of `body`.
    fn stream(&mut self, body: &[u8], zlib: bool, budget: usize, out: &mut [u8]) -> Result<usize, GuardError> {
        self.0.reset(zlib);
        // one byte of room past the budget: it tells "more" from "exactly"
        let end = self.0.decompress(body, &mut out[..budget + 1], InflateFlush::Finish);
        let (taken, made) = (self.0.total_in() as usize, self.0.total_out() as usize);
        if made > budget {
            return Err(GuardError::TooLarge);
        }
        match end {
            Ok(Status::StreamEnd) if taken == body.len() => Ok(made),
            Err(InflateError::NeedDict { .. }) => Err(GuardError::Unsupported),
            _ => Err(GuardError::Corrupt),
        }
    }
}

/// Length of the gzip header (RFC 1952). Reserved flags and methods are refused, a header checksum is verified.
fn gzip_header(input: &[u8]) -> Result<usize, GuardError> {
    const HCRC: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    const RESERVED: u8 = 0xe0;

    let fixed = input.first_chunk::<10>().ok_or(GuardError::Corrupt)?;
    let flags = fixed[3];
    if fixed[..2] != [0x1f, 0x8b] {
        return Err(GuardError::Corrupt);
    }
    if fixed[2] != 8 || flags & RESERVED != 0 {
        return Err(GuardError::Unsupported);
    }
    let mut at = fixed.len();
    if flags & EXTRA != 0 {
        let len = input[at..].first_chunk::<2>().ok_or(GuardError::Corrupt)?;
        at += len.len() + usize::from(u16::from_le_bytes(*len));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let rest = input.get(at..).ok_or(GuardError::Corrupt)?;
            at += 1 + rest.iter().position(|b| *b == 0).ok_or(GuardError::Corrupt)?;
        }
    }
    if flags & HCRC != 0 {
        let sum = input.get(at..).and_then(|rest| rest.first_chunk::<2>()).ok_or(GuardError::Corrupt)?;
        if zlib_rs::crc32::crc32(0, &input[..at]) as u16 != u16::from_le_bytes(*sum) {
            return Err(GuardError::Corrupt);
        }
        at += sum.len();
    }
    if at > input.len() { Err(GuardError::Corrupt) } else { Ok(at) }
}
