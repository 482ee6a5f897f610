//! What the same frames cost natively: `LengthDelimitedCodec` of tokio-util, then the header field by field.
//!
//! Reads of 64 KiB lie in the codec's buffer already when the clock starts, as a socket would have put them there;
//! `filled` in the output is what it costs to copy them in, which a runtime's own receive window pays as well. Prints
//! one line of JSON: nanoseconds of processor time a frame, the median of the rounds.
//!
//! `cargo run --release -- [--quick]`
#![warn(missing_docs)]

use bytes::{Buf, BytesMut};
use std::hint::black_box;
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

const HEADER: usize = 38;
const READ: usize = 65_536;
const TOTAL: usize = 2 << 20;

/// A header's fields.
struct Fields {
    flags: u16,
    code: u16,
    app: u16,
    tenant: u128,
    corr: u64,
    cap: usize,
}

fn parse(frame: &BytesMut) -> Option<Fields> {
    let b: &[u8; HEADER] = frame.first_chunk()?;
    let be16 = |at: usize| u16::from_be_bytes([b[at], b[at + 1]]);
    let (flags, cap) = (be16(6), usize::from(be16(28)));
    if flags > 0xff || be16(4) != 1 || (cap > 0 && flags & 8 == 0) || HEADER + cap > frame.len() {
        return None;
    }
    Some(Fields {
        flags,
        code: be16(8),
        app: be16(10),
        tenant: u128::from_be_bytes(b[12..28].try_into().ok()?),
        corr: u64::from_be_bytes(b[30..38].try_into().ok()?),
        cap,
    })
}

fn codec() -> LengthDelimitedCodec {
    // the length counts itself, and the header stays with the frame: nothing to adjust
    LengthDelimitedCodec::builder().length_field_length(4).num_skip(0).max_frame_length(1 << 20).new_codec()
}

/// Decodes what is there; returns the number of frames.
fn drain(codec: &mut LengthDelimitedCodec, buffer: &mut BytesMut) -> usize {
    let mut frames = 0;
    while let Some(mut frame) = codec.decode(buffer).expect("no frame is too long") {
        let fields = parse(&frame).expect("every frame is legal");
        frame.advance(HEADER + fields.cap);
        black_box((fields.flags, fields.code, fields.app, fields.corr, fields.tenant as u64));
        black_box(frame.len());
        frames += 1;
    }
    frames
}

fn cpu_ns() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 * 1e9 + t.tv_nsec as f64
}

fn wire(payload: usize) -> Vec<u8> {
    let mut frame = vec![0; HEADER + payload];
    frame[..4].copy_from_slice(&((HEADER + payload) as u32).to_be_bytes());
    frame[5] = 1;
    frame[7] = 4;
    frame[11] = 7;
    frame[37] = 1;
    frame.repeat((TOTAL / frame.len()).max(1))
}

/// Nanoseconds a frame: decoding alone, and with the copy into the codec's buffer.
fn round(bytes: &[u8], passes: usize) -> (f64, f64) {
    let (mut alone, mut filled, mut frames) = (0.0, 0.0, 0);
    for _ in 0..passes {
        let mut codec = codec();
        let mut buffer = BytesMut::with_capacity(READ * 2);
        for read in bytes.chunks(READ) {
            let start = cpu_ns();
            buffer.reserve(READ);
            buffer.extend_from_slice(read);
            let middle = cpu_ns();
            frames += drain(&mut codec, &mut buffer);
            let end = cpu_ns();
            alone += end - middle;
            filled += end - start;
        }
    }
    (alone / frames as f64, filled / frames as f64)
}

fn median(mut list: Vec<f64>) -> f64 {
    list.sort_by(f64::total_cmp);
    list[list.len() / 2]
}

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (rounds, passes) = if quick { (3, 1) } else { (9, 40) };
    let parts: Vec<String> = [0, 64, 1024, 65_536]
        .into_iter()
        .map(|payload| {
            let bytes = wire(payload);
            round(&bytes, passes);
            let (alone, filled) = (0..rounds).map(|_| round(&bytes, passes)).unzip();
            format!("\"{payload}\":{{\"ns\":{:.2},\"filledNs\":{:.2}}}", median(alone), median(filled))
        })
        .collect();
    println!("{{{}}}", parts.join(","));
}
