//! The stateless scan: which frames have their header in these received bytes, and what kinds of frames are they?
//!
//! It never needs a body. A frame counts as soon as its header is there; how much of the body is still to come is told
//! by [`Scan::next`]. What a connection has to remember between two scans (at most 37 bytes of an unfinished header, and
//! a number of bytes to skip) stays with the caller. So does where each frame starts: one begins where the one before
//! ends, and a caller finds the next by the length in a header that has passed here.
//!
//! There are two ways in with one set of checks: [`scan`] over the bytes as they came, which is the cheaper one for small
//! frames, and [`rows`] over the words of headers that the caller has picked out, which leaves large bodies alone.

use crate::caps::HEADER_BYTES;
use crate::flags;
use crate::header::{Fault, check, check_words, le32};

/// What one scan found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Frames; those before a fault included.
    pub count: usize,
    /// Offset of the first byte after the last frame. It may lie past the bytes: skip to it.
    pub next: usize,
    /// Offset of the last frame; 0 when there is none.
    pub last: usize,
    /// The fault of the header at `next`.
    pub fault: Option<Fault>,
    /// What kinds of frames they are.
    pub marks: Marks,
}

/// How many frames have which label, and all their flags together. A caller that looks for one kind of frame need not
/// look at any when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Every flag bit that a frame has.
    pub flags: u32,
    /// Frames of protocol 0.
    pub hello: u32,
    /// Others with a code from 400 on.
    pub error: u32,
    /// Others with START.
    pub start: u32,
    /// Others with END.
    pub end: u32,
}

impl Marks {
    /// Notes a header with these flags. `likely`: it has a protocol, and a code below 256; else `code_app` is asked.
    #[inline(always)]
    fn note(&mut self, flags: u32, likely: bool, code_app: impl FnOnce() -> u32) {
        self.flags |= flags;
        // by value: an address taken would keep the counters in memory
        let (hello, error) = if likely { (0, 0) } else { special(code_app()) };
        self.hello += hello;
        self.error += error;
        if flags & EDGES != 0 && hello + error == 0 {
            let start = (flags / u32::from(flags::START)) & 1;
            self.start += start;
            self.end += 1 - start;
        }
    }
}

/// Whether a frame is HELLO, and whether it is ERROR.
#[inline(never)]
fn special(code_app: u32) -> (u32, u32) {
    let hello = u32::from(code_app & 0xffff == 0);
    (hello, u32::from(code_app >> 16 >= 400) & (1 - hello))
}

const EDGES: u32 = (flags::START | flags::END) as u32;

/// Scans `window`, at most `max_count` frames of it. `max_frame` is legal.
#[inline(always)]
pub fn scan(window: &[u8], max_frame: usize, max_count: usize) -> Scan {
    let mut found = Scan::default();
    while found.count < max_count {
        let Some(header) = window.get(found.next..).and_then(|rest| rest.first_chunk::<HEADER_BYTES>()) else { break };
        match check(header, max_frame) {
            Ok(len) => {
                // WebAssembly cannot swap bytes: what can be told from a word as it lies there is
                let (flags, code_app) = (le32(header, 4) >> 24, le32(header, 8));
                let likely = code_app & 0xffff_0000 != 0 && code_app & 0xff == 0;
                found.marks.note(flags, likely, || code_app.swap_bytes());
                found.last = found.next;
                found.next += len;
                found.count += 1;
            }
            Err(fault) => {
                found.fault = Some(fault);
                break;
            }
        }
    }
    found
}

/// Four words of a header: its length, version and flags, code and protocol, and the length of the capability.
pub type Row = [u32; 4];

/// Checks headers in the form of rows. Offsets count from the first of them.
#[inline(always)]
pub fn rows(rows: &[Row], max_frame: usize) -> Scan {
    let mut found = Scan::default();
    for [len, version_flags, code_app, cap_len] in rows {
        match check_words(*len, *version_flags, *cap_len, max_frame) {
            Ok(len) => {
                let likely = code_app & 0xffff != 0 && code_app >> 24 == 0;
                found.marks.note(*version_flags & u32::from(flags::KNOWN), likely, || *code_app);
                found.last = found.next;
                found.next += len;
                found.count += 1;
            }
            Err(fault) => {
                found.fault = Some(fault);
                break;
            }
        }
    }
    found
}
