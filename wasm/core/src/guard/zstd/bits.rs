//! The two bit readers of the format.

use super::GuardError;

/// Reads from the first byte on, least significant bit first: descriptions of distributions. Past the end it gives
/// zeros; [`Forward::bytes`] then tells.
pub(super) struct Forward<'a> {
    src: &'a [u8],
    at: usize,
}

impl<'a> Forward<'a> {
    pub fn new(src: &'a [u8]) -> Forward<'a> {
        Forward { src, at: 0 }
    }

    /// The next `n` bits (at most 24), without taking them.
    pub fn peek(&self, n: u32) -> u32 {
        let first = self.at / 8;
        let word = (0..4).fold(0, |w, i| w | u32::from(self.src.get(first + i).copied().unwrap_or(0)) << (8 * i));
        word >> (self.at % 8) & ((1 << n) - 1)
    }

    pub fn skip(&mut self, n: u32) {
        self.at += n as usize;
    }

    /// Whole bytes taken so far; corrupt when that is more than there were.
    pub fn bytes(&self) -> Result<usize, GuardError> {
        let bytes = self.at.div_ceil(8);
        if bytes > self.src.len() { Err(GuardError::Corrupt) } else { Ok(bytes) }
    }
}

/// Reads from the last bit back to the first: entropy-coded streams.
///
/// `acc` has the next bits at its top and `have` says how many of them are real. Past the beginning it gives zeros and
/// `have` goes below 0, so an overrun is seen later without a check at every read. Between two refills at most
/// [`Backward::REFILLED`] bits may be taken: then `have` can be negative only when no byte is left.
#[derive(Clone, Copy)]
pub(super) struct Backward<'a> {
    src: &'a [u8],
    acc: u64,
    have: i32,
}

impl<'a> Backward<'a> {
    /// Bits that a refill guarantees, as long as the stream has them.
    pub const REFILLED: u32 = 56;

    /// A stream ends in a marker: the highest set bit of its last byte, which cannot be 0.
    pub fn new(src: &'a [u8]) -> Result<Backward<'a>, GuardError> {
        let last = *src.last().ok_or(GuardError::Corrupt)?;
        if last == 0 {
            return Err(GuardError::Corrupt);
        }
        let mut bits = Backward { src, acc: 0, have: 0 };
        bits.refill();
        bits.skip(last.leading_zeros() + 1);
        Ok(bits)
    }

    #[inline(always)]
    pub fn refill(&mut self) {
        if let Some(word) = self.src.last_chunk::<8>() {
            // the bits under `have` that are or-ed in twice are the same ones both times
            self.acc |= u64::from_le_bytes(*word).wrapping_shr(self.have as u32);
            let bytes = (63 - self.have as u32) >> 3;
            self.src = &self.src[..self.src.len().wrapping_sub(bytes as usize)];
            self.have += (bytes << 3) as i32;
        } else {
            self.refill_bytewise();
        }
    }

    #[inline(never)]
    fn refill_bytewise(&mut self) {
        while let Some((last, rest)) = self.src.split_last()
            && self.have <= 56
        {
            self.acc |= u64::from(*last) << (56 - self.have);
            self.have += 8;
            self.src = rest;
        }
    }

    /// The next `n` bits (at most 63), without taking them.
    #[inline(always)]
    pub fn peek(&self, n: u32) -> u64 {
        (self.acc >> 1).wrapping_shr(63u32.wrapping_sub(n))
    }

    #[inline(always)]
    pub fn skip(&mut self, n: u32) {
        self.acc = self.acc.wrapping_shl(n);
        self.have = self.have.wrapping_sub(n as i32);
    }

    #[inline(always)]
    pub fn take(&mut self, n: u32) -> u64 {
        let bits = self.peek(n);
        self.skip(n);
        bits
    }

    /// Bits that can be taken before the next refill.
    #[inline(always)]
    pub fn ready(&self) -> i32 {
        self.have
    }

    /// Were more bits taken than there are?
    #[inline(always)]
    pub fn overrun(&self) -> bool {
        self.have < 0
    }

    /// Was every bit taken, and none too many?
    pub fn finished(&self) -> bool {
        self.have == 0 && self.src.is_empty()
    }
}
