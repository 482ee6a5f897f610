//! The stateless scan: which frames have their header in this window of received bytes?
//!
//! It never needs a body. A frame is indexed as soon as its header is there; how much of the body is still to come is
//! told by [`Index::next`]. What a connection has to remember between two windows (at most 37 bytes of an unfinished
//! header, and a number of bytes to skip) stays with the caller.

use crate::caps::HEADER_BYTES;
use crate::header::{Fault, check};

/// What one scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Frames written to the table; those before a fault included.
    pub count: usize,
    /// Offset of the first byte after the last indexed frame. It may lie past the window: skip to it.
    pub next: usize,
    /// Bytes of an unfinished header at `next`, 0 after a fault; less than a header.
    pub carry: usize,
    /// The fault of the header at `next`.
    pub fault: Option<Fault>,
}

/// Indexes `window`: for each frame its header offset and its length go to `table`, two words a frame.
///
/// The table holds every frame that can start in the window when it has `2 * (window.len() / 38 + 1)` words; with a
/// shorter one the scan stops early, `next` still right. `max_frame` is legal.
#[inline(always)]
pub fn index(window: &[u8], max_frame: usize, table: &mut [u32]) -> Index {
    let (mut next, mut count) = (0, 0);
    for pair in table.chunks_exact_mut(2) {
        let Some(header) = window.get(next..).and_then(|rest| rest.first_chunk::<HEADER_BYTES>()) else { break };
        match check(header, max_frame) {
            Ok(len) => {
                pair[0] = next as u32;
                pair[1] = len as u32;
                next += len;
                count += 1;
            }
            Err(fault) => return Index { count, next, carry: 0, fault: Some(fault) },
        }
    }
    Index { count, next, carry: window.len().saturating_sub(next), fault: None }
}
