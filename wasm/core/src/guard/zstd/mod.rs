//! One zstd frame (RFC 8878), decoded straight into the caller's buffer.
//!
//! A decoder of our own, because the rules of the guard cut through one: table entries are charged before they are
//! built, both sizes of a block are bounded by the window, the output has to equal the declared size, and a claimed
//! window is never allocated. Matches are copied inside the output, which is at most the budget long.
//!
//! Checks come in the order of the bytes: magic, reserved bit, window, dictionary, declared size, blocks, checksum,
//! trailing bytes; the first fault wins.

mod bits;
mod block;
mod codes;
mod copy;
mod fse;
mod huffman;
mod literals;
mod sequences;
mod xxh64;

use super::GuardError;
use super::work::Work;
use block::Blocks;

const MAGIC: u32 = 0xfd2f_b528;
const SKIPPABLE: u32 = 0x184d_2a50;
/// Largest window that a frame may ask for.
const WINDOW_LIMIT: u64 = 8 << 20;
/// Largest block of the format, compressed and regenerated.
const BLOCK_LIMIT: usize = 128 << 10;

const RAW: u32 = 0;
const RLE: u32 = 1;
const COMPRESSED: u32 = 2;

/// The decoder with its tables.
pub(super) struct Inflater {
    blocks: Blocks,
}

/// What a frame header says.
struct FrameHeader {
    window: u64,
    declared: Option<u64>,
    checksum: bool,
}

impl Inflater {
    pub fn new() -> Inflater {
        Inflater { blocks: Blocks::new() }
    }

    /// Forgets the last input.
    pub fn wipe(&mut self) {
        self.blocks.wipe();
    }

    /// Decodes `input` into `out`, which is `budget + SLACK` bytes long.
    pub fn inflate(&mut self, input: &[u8], budget: usize, out: &mut [u8]) -> Result<usize, GuardError> {
        let mut src = Source(input);
        let header = FrameHeader::read(&mut src, budget)?;
        let block_limit = header.window.min(BLOCK_LIMIT as u64) as usize;
        let mut work = Work::new(input.len(), budget);
        self.blocks.start_frame();
        let mut at = 0;
        loop {
            let head = u32::from(src.u8()?) | u32::from(src.u16()?) << 8;
            let size = (head >> 3) as usize;
            if size > block_limit {
                return Err(GuardError::Corrupt);
            }
            let start = at;
            match head >> 1 & 3 {
                RAW => {
                    let bytes = src.take(size)?;
                    at = within(at, size, budget)?;
                    out[start..at].copy_from_slice(bytes);
                }
                RLE => {
                    let byte = src.u8()?;
                    at = within(at, size, budget)?;
                    out[start..at].fill(byte);
                }
                COMPRESSED => at = self.blocks.decode(src.take(size)?, out, at, block_limit, budget, &mut work)?,
                _ => return Err(GuardError::Corrupt),
            }
            work.charge(at - start)?;
            if head & 1 != 0 {
                break;
            }
        }
        let out = &out[..at];
        let sound = header.declared.is_none_or(|n| n == at as u64)
            && (!header.checksum || src.u32()? == xxh64::digest(out) as u32)
            && src.0.is_empty();
        if sound { Ok(at) } else { Err(GuardError::Corrupt) }
    }
}

impl FrameHeader {
    fn read(src: &mut Source, budget: usize) -> Result<FrameHeader, GuardError> {
        let magic = src.u32()?;
        if magic & !0xf == SKIPPABLE {
            return Err(GuardError::Unsupported);
        }
        if magic != MAGIC {
            return Err(GuardError::Corrupt);
        }
        let descriptor = src.u8()?;
        let single_segment = descriptor & 0x20 != 0;
        if descriptor & 0x08 != 0 {
            return Err(GuardError::Unsupported);
        }
        let mut window = 0;
        if !single_segment {
            let byte = u64::from(src.u8()?);
            let base = 1u64 << (10 + (byte >> 3));
            window = base + (base >> 3) * (byte & 7);
            if window > WINDOW_LIMIT {
                return Err(GuardError::TooLarge);
            }
        }
        let dictionary = match descriptor & 3 {
            0 => 0,
            1 => u32::from(src.u8()?),
            2 => u32::from(src.u16()?),
            _ => src.u32()?,
        };
        if dictionary != 0 {
            return Err(GuardError::Unsupported);
        }
        let declared = match descriptor >> 6 {
            0 if single_segment => Some(u64::from(src.u8()?)),
            0 => None,
            1 => Some(u64::from(src.u16()?) + 256),
            2 => Some(u64::from(src.u32()?)),
            _ => Some(u64::from(src.u32()?) | u64::from(src.u32()?) << 32),
        };
        if declared.is_some_and(|n| n > budget as u64) {
            return Err(GuardError::DeclaredTooLarge);
        }
        if single_segment {
            window = declared.unwrap_or(0);
        }
        Ok(FrameHeader { window, declared, checksum: descriptor & 0x04 != 0 })
    }
}

/// `at + size`, when that is within the budget.
fn within(at: usize, size: usize, budget: usize) -> Result<usize, GuardError> {
    if size > budget - at { Err(GuardError::TooLarge) } else { Ok(at + size) }
}

/// Input read front to back, little-endian; running out of it is [`GuardError::Corrupt`].
struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], GuardError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(GuardError::Corrupt)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GuardError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(GuardError::Corrupt)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, GuardError> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, GuardError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, GuardError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}
