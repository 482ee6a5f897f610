//! The literals section of a compressed block.

use super::huffman::Huffman;
use super::{BLOCK_LIMIT, GuardError, Source, Work};
use crate::guard::SLACK;

const RAW: u8 = 0;
const RLE: u8 = 1;
const TREELESS: u8 = 3;

/// Literals of the block at hand, and the tree that later blocks may refer to.
pub(super) struct Literals {
    buffer: Box<[u8]>,
    len: usize,
    dirty: usize,
    huffman: Huffman,
}

impl Literals {
    pub fn new() -> Literals {
        Literals { buffer: vec![0; BLOCK_LIMIT + SLACK].into(), len: 0, dirty: 0, huffman: Huffman::new() }
    }

    pub fn start_frame(&mut self) {
        self.huffman.forget();
    }

    pub fn wipe(&mut self) {
        self.buffer[..self.dirty].fill(0);
        (self.len, self.dirty) = (0, 0);
        self.huffman.wipe();
    }

    /// The literals, with [`SLACK`] bytes after them.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len + SLACK]
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Reads the section. All literals end up in the output, so `block_limit` and the `room` left in the budget are
    /// checked before any is decoded.
    pub fn read(
        &mut self,
        src: &mut Source,
        block_limit: usize,
        room: usize,
        work: &mut Work,
    ) -> Result<(), GuardError> {
        let first = *src.0.first().ok_or(GuardError::Corrupt)?;
        let (kind, format) = (first & 3, first >> 2 & 3);
        let coded = kind > RLE;
        // length of the header, and bits of each size in it
        let (header, width) = match (coded, format) {
            (false, 0 | 2) => (1, 5),
            (false, 1) => (2, 12),
            (false, _) => (3, 20),
            (true, 0 | 1) => (3, 10),
            (true, 2) => (4, 14),
            (true, _) => (5, 18),
        };
        let word = src.take(header)?.iter().rev().fold(0u64, |w, b| w << 8 | u64::from(*b));
        let sizes = word >> if width == 5 { 3 } else { 4 };
        let len = (sizes & ((1 << width) - 1)) as usize;
        if len > block_limit {
            return Err(GuardError::Corrupt);
        }
        if len > room {
            return Err(GuardError::TooLarge);
        }
        self.len = len;
        self.dirty = self.dirty.max(len + SLACK);
        let dst = &mut self.buffer[..len];
        match kind {
            RAW => dst.copy_from_slice(src.take(len)?),
            RLE => dst.fill(src.u8()?),
            _ => {
                let mut body = src.take((sizes >> width) as usize)?;
                if kind != TREELESS {
                    let tree = self.huffman.read_tree(body, work)?;
                    body = &body[tree..];
                }
                self.huffman.decode(body, format != 0, dst)?;
            }
        }
        Ok(())
    }
}
