//! The hot path as a WebAssembly module: a validator and indexer of headers, a header writer and the inflate guard.
//!
//! One instance serves every connection, because [`Hot`] keeps nothing about any of them between two calls. Arguments
//! and results are numbers; bytes are exchanged through buffers whose addresses the host asks for once. Limits come as
//! arguments and are compared here with the constants of [`caps`]: the host can lower them, not raise them.
//!
//! The host calls the raw exports (`hot_new`, `hot_index`, …) with the address that `hot_new` returned. Buffers of the
//! guard are made by the first `hot_guard_in`: memory may grow in that call, and the host re-makes its views after it.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use ron_transport_core::caps::{self, FRAME_BYTES, HEADER_BYTES};
use ron_transport_core::chunker::{HEADER_BLOCK, Piece, write_headers};
use ron_transport_core::guard::{Codec, Guard, GuardError, SLACK};
use ron_transport_core::header::Header;
use ron_transport_core::index::{self, Row, Scan};
use wasm_bindgen::prelude::*;

const CARRY: usize = HEADER_BYTES - 1;
const WINDOW: usize = CARRY + 16_384;
/// Headers that one call checks as rows.
const ROWS: usize = 512;
/// Next, last, fault; then all flags, and how many frames are HELLO, ERROR, START and END.
const CONTROL: usize = 8;
const PAGE: usize = 4096;
/// Copies whose destination lies just after their source modulo a page are many times slower on some processors. Read
/// buffers tend to start near a page boundary, so the window starts in the middle of one.
const WINDOW_OFFSET: usize = PAGE / 2;

/// The answer to an argument above a constant.
pub const CAP_REFUSED: u32 = u32::MAX;

const CORRUPT: i32 = -1;
const TOO_LARGE: i32 = -2;
const DECLARED_TOO_LARGE: i32 = -3;
const UNSUPPORTED: i32 = -4;
const GUARD_CAP_REFUSED: i32 = -5;

/// The module's one object.
#[wasm_bindgen]
pub struct Hot {
    memory: Box<[u8]>,
    window: usize,
    rows: Box<[Row]>,
    control: Box<[u32; CONTROL]>,
    headers: Box<[u8; HEADER_BLOCK]>,
    caps: Box<[u32]>,
    inflate: Option<Inflate>,
}

/// Buffers of the guard, of fixed size, made on first use.
struct Inflate {
    guard: Guard,
    input: Box<[u8]>,
    output: Box<[u8]>,
    reserved: usize,
    dirty_in: usize,
    dirty_out: usize,
}

#[wasm_bindgen]
impl Hot {
    /// Allocates the window, the rows and the header block.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Hot {
        let memory = vec![0; WINDOW + PAGE].into_boxed_slice();
        let window = WINDOW_OFFSET.wrapping_sub(memory.as_ptr() as usize) % PAGE;
        Hot {
            memory,
            window,
            rows: vec![[0; 4]; ROWS].into_boxed_slice(),
            control: Box::new([0; CONTROL]),
            headers: Box::new([0; HEADER_BLOCK]),
            caps: Box::new(caps::TABLE),
            inflate: None,
        }
    }

    /// Address of the window: 37 bytes of carry and 16384 bytes.
    pub fn win_ptr(&self) -> u32 {
        address(&self.memory[self.window..])
    }

    /// Address of the rows: 512 times length, version and flags, code and protocol, length of the capability.
    pub fn rows_ptr(&self) -> u32 {
        address(&self.rows)
    }

    /// Address of what a call found beside the number of frames: offset after the last frame, offset of the last frame,
    /// fault of the header after it; then all flags together, and how many frames are HELLO, ERROR, START and END.
    pub fn ctl_ptr(&self) -> u32 {
        address(self.control.as_slice())
    }

    /// Address of the 16 headers that `chunk` writes.
    pub fn hdr_ptr(&self) -> u32 {
        address(self.headers.as_slice())
    }

    /// Address of the nine constants.
    pub fn caps_ptr(&self) -> u32 {
        address(&self.caps)
    }

    /// Checks the frames whose header lies in the first `tail` bytes of the window, at most `max_count`, and returns their
    /// number. `CAP_REFUSED` for a frame limit above the cap or below a header, and for a tail past the window.
    pub fn index(&mut self, tail: u32, max_frame: u32, max_count: u32) -> u32 {
        let (tail, max_frame) = (tail as usize, max_frame as usize);
        if tail > WINDOW || !caps::frame_limit_is_legal(max_frame) {
            return CAP_REFUSED;
        }
        let found = index::scan(&self.memory[self.window..][..tail], max_frame, max_count as usize);
        self.tell(&found)
    }

    /// The same of the first `n` rows. `CAP_REFUSED` for a limit as above, and for more rows than there are.
    pub fn rows(&mut self, n: u32, max_frame: u32) -> u32 {
        let (n, max_frame) = (n as usize, max_frame as usize);
        if n > ROWS || !caps::frame_limit_is_legal(max_frame) {
            return CAP_REFUSED;
        }
        let found = index::rows(&self.rows[..n], max_frame);
        self.tell(&found)
    }

    /// Writes up to 16 headers of a body of `total` bytes whose first `from` bytes already have theirs; returns how
    /// many. START is set on the header at offset 0 and END on the one that reaches `total`, each only when `flags` has
    /// it. `code_app` is `code << 16 | app`; the tenant comes as four words, the most significant first. `CAP_REFUSED`
    /// for a chunk of 0 or above the constant, and for unassigned flags.
    #[allow(clippy::too_many_arguments)]
    pub fn chunk(
        &mut self,
        total: u32,
        from: u32,
        max_chunk: u32,
        flags: u32,
        code_app: u32,
        corr_lo: u32,
        corr_hi: u32,
        t0: u32,
        t1: u32,
        t2: u32,
        t3: u32,
    ) -> u32 {
        let Ok(flags) = u16::try_from(flags) else { return CAP_REFUSED };
        let head = Header {
            flags,
            code: (code_app >> 16) as u16,
            app_proto_id: code_app as u16,
            tenant_id: [t0, t1, t2, t3].iter().fold(0, |id, word| id << 32 | u128::from(*word)),
            corr_id: u64::from(corr_hi) << 32 | u64::from(corr_lo),
            ..Header::default()
        };
        let piece = Piece { total: total as usize, from: from as usize, max_chunk: max_chunk as usize, head };
        write_headers(&piece, &mut self.headers).map_or(CAP_REFUSED, |n| n as u32)
    }

    /// Address of `n` writable bytes for the guard's input; `CAP_REFUSED` above the frame cap. May grow memory.
    pub fn guard_in(&mut self, n: u32) -> u32 {
        let n = n as usize;
        if n > FRAME_BYTES {
            return CAP_REFUSED;
        }
        let inflate = self.inflate.get_or_insert_with(|| Inflate {
            guard: Guard::new(),
            input: vec![0; FRAME_BYTES].into_boxed_slice(),
            output: vec![0; FRAME_BYTES + SLACK].into_boxed_slice(),
            reserved: 0,
            dirty_in: 0,
            dirty_out: 0,
        });
        inflate.reserved = n;
        inflate.dirty_in = inflate.dirty_in.max(n);
        address(&inflate.input)
    }

    /// Inflates the first `n` bytes of the input: codec 0 zstd, 1 gzip, 2 zlib, 3 deflate; at most
    /// `min(8 n, max_out, frame cap)` bytes come out. Their number, or -1 corrupt, -2 over a limit, -3 over a limit by
    /// its own header, -4 unsupported, -5 an argument above a constant, an unknown codec or more input than `guard_in`
    /// was asked for.
    pub fn guard(&mut self, codec: u32, n: u32, max_out: u32) -> i32 {
        let (n, max_out) = (n as usize, max_out as usize);
        let (Some(codec), Some(inflate)) = (Codec::from_number(codec), &mut self.inflate) else {
            return GUARD_CAP_REFUSED;
        };
        if n > inflate.reserved || max_out > FRAME_BYTES {
            return GUARD_CAP_REFUSED;
        }
        let Inflate { guard, input, output, dirty_out, .. } = inflate;
        *dirty_out = (*dirty_out).max(ron_transport_core::guard::budget(n, max_out) + SLACK);
        match guard.inflate_into(codec, &input[..n], max_out, output) {
            Ok(len) => len as i32,
            Err(GuardError::Corrupt) => CORRUPT,
            Err(GuardError::TooLarge) => TOO_LARGE,
            Err(GuardError::DeclaredTooLarge) => DECLARED_TOO_LARGE,
            Err(GuardError::Unsupported) => UNSUPPORTED,
        }
    }

    /// Address of the guard's output; 0 before the first `guard_in`.
    pub fn guard_out_ptr(&self) -> u32 {
        self.inflate.as_ref().map_or(0, |inflate| address(&inflate.output))
    }

    /// Zeroes whatever the guard's buffers were given since the last wipe.
    pub fn guard_wipe(&mut self) {
        if let Some(inflate) = &mut self.inflate {
            inflate.guard.wipe();
            inflate.input[..inflate.dirty_in].fill(0);
            inflate.output[..inflate.dirty_out].fill(0);
            (inflate.reserved, inflate.dirty_in, inflate.dirty_out) = (0, 0, 0);
        }
    }
}

impl Hot {
    fn tell(&mut self, found: &Scan) -> u32 {
        let Scan { count, next, last, fault, marks } = *found;
        let fault = fault.map_or(0, |fault| fault.code());
        *self.control =
            [next as u32, last as u32, fault, marks.flags, marks.hello, marks.error, marks.start, marks.end];
        count as u32
    }
}

fn address<T>(slice: &[T]) -> u32 {
    slice.as_ptr() as usize as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use ron_transport_core::header::Fault;

    #[test]
    fn an_argument_above_a_constant_is_refused() {
        let mut hot = Hot::new();
        let frame = FRAME_BYTES as u32;
        for (tail, max_frame) in [(0, frame + 1), (0, u32::MAX), (0, 37), (0, 0), (WINDOW as u32 + 1, frame)] {
            assert_eq!(hot.index(tail, max_frame, 1), CAP_REFUSED);
        }
        for (n, max_frame) in [(0, frame + 1), (0, 37), (ROWS as u32 + 1, frame)] {
            assert_eq!(hot.rows(n, max_frame), CAP_REFUSED);
        }
        assert_eq!((hot.index(0, frame, 1), hot.index(WINDOW as u32, 38, 1)), (0, 0));
        assert_eq!(hot.rows(ROWS as u32, 38), 0);
        let mut chunk = |max_chunk, flags| hot.chunk(10, 0, max_chunk, flags, 0, 0, 0, 0, 0, 0, 0);
        assert_eq!([chunk(0, 1), chunk(65_537, 1), chunk(1, 0x100), chunk(1, 0x1_0001)], [CAP_REFUSED; 4]);
        assert_eq!((chunk(65_536, 1), chunk(4, 1)), (1, 3));
        assert_eq!(hot.guard(0, 0, 0), GUARD_CAP_REFUSED, "before guard_in");
        assert_eq!(hot.guard_in(frame + 1), CAP_REFUSED);
        assert_ne!(hot.guard_in(10), CAP_REFUSED);
        for (codec, n, max_out) in [(4, 10, 10), (u32::MAX, 10, 10), (0, 11, 10), (0, 10, frame + 1)] {
            assert_eq!(hot.guard(codec, n, max_out), GUARD_CAP_REFUSED);
        }
        assert_eq!(hot.guard(0, 10, frame), CORRUPT);
    }

    #[test]
    fn every_constant_is_exported_in_order() {
        let hot = Hot::new();
        assert_eq!(*hot.caps, caps::TABLE);
        assert_eq!(hot.caps[0] as usize, FRAME_BYTES);
    }

    #[test]
    fn a_window_full_of_smallest_frames_is_one_call() {
        let mut hot = Hot::new();
        let mut head = [0; HEADER_BYTES];
        Header { len: 38, flags: 1, app_proto_id: 7, ..Header::default() }.write(&mut head);
        let from = hot.window;
        for (slot, byte) in hot.memory[from..from + WINDOW].iter_mut().zip(head.iter().cycle()) {
            *slot = *byte;
        }
        let count = WINDOW / HEADER_BYTES;
        assert_eq!(hot.index(WINDOW as u32, 38, u32::MAX) as usize, count);
        let next = (count * HEADER_BYTES) as u32;
        assert_eq!(*hot.control, [next, next - 38, 0, 1, 0, 0, 0, 0]);
        assert_eq!(hot.index(WINDOW as u32, 38, 3), 3);
        assert_eq!(hot.control[..2], [114, 76]);
    }

    #[test]
    fn frames_are_counted_by_label() {
        let mut hot = Hot::new();
        let rows = [(0, 1), (7, 2), (7, 9), (7, 17), (7, 25), (0, 8)];
        for (row, (app, flags)) in hot.rows.iter_mut().zip(rows) {
            *row = [38, 1 << 16 | flags, 200 << 16 | app, 0];
        }
        hot.rows[6] = [40, 1 << 16 | 8, 399 << 16 | 7, 2];
        hot.rows[7] = [38, 1 << 16 | 24, 400 << 16 | 7, 0];
        hot.rows[8] = [38, 1 << 16 | 4, 7, 1];
        assert_eq!(hot.rows(9, 40), 8);
        assert_eq!(*hot.control, [306, 268, Fault::CapOnNonStart.code(), 0x1b, 2, 1, 3, 1]);
    }

    #[test]
    fn a_wipe_leaves_nothing() {
        let mut hot = Hot::new();
        hot.guard_in(64);
        let inflate = hot.inflate.as_mut().unwrap();
        // one raw block of 6 bytes, single segment
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 6, 0x31, 0, 0][..], b"secret"].concat();
        inflate.input[..frame.len()].copy_from_slice(&frame);
        assert_eq!(hot.guard(0, frame.len() as u32, 1024), 6);
        assert_eq!(hot.inflate.as_ref().unwrap().output[..6], *b"secret");
        hot.guard_wipe();
        let inflate = hot.inflate.as_ref().unwrap();
        assert!(inflate.input.iter().chain(&inflate.output).all(|b| *b == 0));
        assert_eq!(hot.guard(0, 1, 1), GUARD_CAP_REFUSED, "the reservation is gone too");
    }
}
