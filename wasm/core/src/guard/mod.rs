//! Bounded inflate: compressed bytes in, at most a budget of bytes out, whatever the input says.
//!
//! * The budget is `min(8 × input, max_out, frame cap)`, fixed before the first output byte.
//! * Output beyond it is never delivered; work beyond it is at most one scratch block ([`SLACK`] bytes in a copy).
//! * The input is exactly one frame, member or stream: nothing before it, nothing after it.
//! * Time is linear in input and budget, see [`work`].
//! * Memory is fixed: the tables and one literal buffer, made on first use. A window that the input claims is never
//!   allocated, because matches are copied inside the output.

mod flate;
mod work;
mod zstd;

use crate::caps::{FRAME_BYTES, INFLATE_RATIO};

/// Bytes that an output buffer needs past the budget: room for copies in whole words, and for the one byte that tells
/// "exactly the budget" from "more".
pub const SLACK: usize = 32;

/// What the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// One zstd frame: the codec of the wire.
    Zstd,
    /// One gzip member.
    Gzip,
    /// One zlib stream.
    Zlib,
    /// One raw deflate stream.
    Deflate,
}

impl Codec {
    /// The codec with this number in the host interface.
    pub const fn from_number(n: u32) -> Option<Codec> {
        match n {
            0 => Some(Codec::Zstd),
            1 => Some(Codec::Gzip),
            2 => Some(Codec::Zlib),
            3 => Some(Codec::Deflate),
            _ => None,
        }
    }
}

/// Why an input is refused. When several reasons apply, the first one in the order of its bytes is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardError {
    /// Not a sound frame, or more than one.
    Corrupt,
    /// Over the budget, the window limit or the work limit.
    TooLarge,
    /// The header alone promises more than the budget.
    DeclaredTooLarge,
    /// Sound, perhaps, but it needs what is not offered here: a dictionary, a skippable frame, a reserved feature.
    Unsupported,
}

/// The budget for `n` compressed bytes.
pub const fn budget(n: usize, max_out: usize) -> usize {
    let by_ratio = n.saturating_mul(INFLATE_RATIO);
    let by_cap = if max_out < FRAME_BYTES { max_out } else { FRAME_BYTES };
    if by_ratio < by_cap { by_ratio } else { by_cap }
}

/// The inflaters with their tables; one serves any number of inputs, one after the other.
#[derive(Default)]
pub struct Guard {
    zstd: Option<zstd::Inflater>,
    flate: Option<flate::Inflater>,
}

impl Guard {
    /// Allocates nothing yet.
    pub fn new() -> Guard {
        Guard::default()
    }

    /// Inflates into `out` and returns how many bytes came out. Content of `out` past them is unspecified.
    ///
    /// # Panics
    /// When `out` is shorter than [`budget`] plus [`SLACK`].
    pub fn inflate_into(
        &mut self,
        codec: Codec,
        input: &[u8],
        max_out: usize,
        out: &mut [u8],
    ) -> Result<usize, GuardError> {
        let budget = budget(input.len(), max_out);
        let out = &mut out[..budget + SLACK];
        match codec {
            Codec::Zstd => self.zstd.get_or_insert_with(zstd::Inflater::new).inflate(input, budget, out),
            _ => self.flate.get_or_insert_with(flate::Inflater::new).inflate(codec, input, budget, out),
        }
    }

    /// The same into a buffer of its own, which is never larger than the budget.
    pub fn inflate(&mut self, codec: Codec, input: &[u8], max_out: usize) -> Result<Vec<u8>, GuardError> {
        let mut out = vec![0; budget(input.len(), max_out) + SLACK];
        let n = self.inflate_into(codec, input, max_out, &mut out)?;
        out.truncate(n);
        Ok(out)
    }

    /// Zeroes what the inflaters keep of the last input.
    pub fn wipe(&mut self) {
        if let Some(zstd) = &mut self.zstd {
            zstd.wipe();
        }
        self.flate = None;
    }
}
