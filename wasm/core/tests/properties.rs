//! What must hold for any bytes, not only for the vectors'.

mod common;

use common::{bytes, cases, xorshift};
use proptest::prelude::*;
use ron_transport_core::caps::{CHUNK_BYTES, FRAME_BYTES, HEADER_BYTES};
use ron_transport_core::chunker::{HEADER_BLOCK, Piece, chunks, fragment, write_headers};
use ron_transport_core::decoder::{Decoder, Frame};
use ron_transport_core::encoder::encode;
use ron_transport_core::flags;
use ron_transport_core::guard::{Codec, Guard, GuardError, SLACK, budget};
use ron_transport_core::header::{Fault, Header, check};
use ron_transport_core::index::{Row, rows, scan as scan_window};
use std::time::Instant;

fn frame() -> impl Strategy<Value = Frame> {
    let kind = prop_oneof![Just(flags::REQ), Just(flags::RESP), Just(flags::EVENT)];
    let body = prop::collection::vec(any::<u8>(), 0..200);
    (kind, any::<[bool; 3]>(), any::<(u16, u16, u128, u64)>(), prop::collection::vec(any::<u8>(), 0..60), body)
        .prop_map(|(kind, [start, end, ack], (code, app_proto_id, tenant_id, corr_id), capability, payload)| {
            let mut bits = kind;
            for (set, bit) in [(start, flags::START), (end, flags::END), (ack, flags::ACK_REQ)] {
                bits |= if set { bit } else { 0 };
            }
            let capability = if start { capability } else { Vec::new() };
            Frame { flags: bits, code, app_proto_id, tenant_id, corr_id, capability, payload }
        })
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Lengths of the frames that a caller of `scan` sees who keeps the carry and skips bodies, as the host does. Each window
/// is scanned in two goes, and then the same headers again as rows.
fn scan(input: &[u8], window: usize) -> (Vec<usize>, Option<Fault>) {
    let (mut lens, mut carry, mut skip) = (Vec::new(), Vec::new(), 0usize);
    for slice in input.chunks(window - HEADER_BYTES) {
        let skipped = skip.min(slice.len());
        skip -= skipped;
        carry.extend_from_slice(&slice[skipped..]);
        let first = scan_window(&carry, FRAME_BYTES, 1);
        let found = scan_window(&carry, FRAME_BYTES, usize::MAX);
        assert_eq!(first.count, found.count.min(1));
        let (mut at, mut words) = (0, Vec::<Row>::new());
        while at + HEADER_BYTES <= carry.len() && words.len() <= found.count {
            let head = [be32(&carry, at), be32(&carry, at + 4), be32(&carry, at + 8), be32(&carry, at + 26) & 0xffff];
            words.push(head);
            at += (head[0] as usize).max(HEADER_BYTES);
        }
        lens.extend(words[..found.count].iter().map(|row| row[0] as usize));
        assert_eq!(rows(&words, FRAME_BYTES), found);
        if found.fault.is_some() {
            return (lens, found.fault);
        }
        skip += found.next.saturating_sub(carry.len());
        carry.drain(..found.next.min(carry.len()));
        assert!(carry.len() < HEADER_BYTES);
    }
    (lens, None)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn frames_survive_the_round_trip_in_any_slices(
        frames in prop::collection::vec(frame(), 1..8),
        slice in 1usize..90,
    ) {
        let stream: Vec<u8> = frames.iter().flat_map(|f| encode(f, FRAME_BYTES).unwrap()).collect();
        let mut decoder = Decoder::new(FRAME_BYTES, true).unwrap();
        let mut out = Vec::new();
        for part in stream.chunks(slice) {
            prop_assert_eq!(decoder.push(part, &mut out), Ok(()));
        }
        prop_assert_eq!(decoder.pending(), 0);
        prop_assert_eq!(&out, &frames);
        let lens: Vec<usize> = frames.iter().map(Frame::len).collect();
        prop_assert_eq!(scan(&stream, 64 + slice), (lens, None));
    }

    #[test]
    fn scan_and_decoder_agree_on_damaged_streams(
        frames in prop::collection::vec(frame(), 1..6),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
        slice in 1usize..90,
    ) {
        let mut stream: Vec<u8> = frames.iter().flat_map(|f| encode(f, FRAME_BYTES).unwrap()).collect();
        let at = at.index(stream.len());
        stream[at] ^= flip;
        let run = |slice: usize| {
            let mut decoder = Decoder::new(FRAME_BYTES, true).unwrap();
            let mut out = Vec::new();
            for part in stream.chunks(slice) {
                let _ = decoder.push(part, &mut out);
            }
            (out, decoder.fault())
        };
        let (whole, fault) = run(usize::MAX);
        prop_assert_eq!(run(slice), (whole.clone(), fault));
        let (lens, scanned) = scan(&stream, 64 + slice);
        if !matches!(fault, Some(Fault::CodecError | Fault::DecompressBoundExceeded)) {
            prop_assert_eq!(scanned, fault);
            // the scan needs no body: it may know one frame more
            prop_assert!(lens.len() - whole.len() <= 1);
        }
    }

    #[test]
    fn chunks_and_fragments_cover_the_body_once(
        len in 0usize..400_000,
        chunk in 1usize..=CHUNK_BYTES,
        capability in 0usize..100,
        max_frame in 200usize..70_000,
    ) {
        let cut = chunks(len, chunk).unwrap();
        prop_assert_eq!(cut.count, len.div_ceil(chunk));
        let mut at = 0;
        for one in fragment(len, capability, flags::EVENT | flags::APP_E2E, max_frame).unwrap() {
            prop_assert_eq!(one.offset, at);
            at += one.payload;
            prop_assert_eq!(one.flags & flags::START != 0, one.offset == 0);
            prop_assert_eq!(one.flags & flags::END != 0, at == len);
            prop_assert!(one.flags & flags::APP_E2E != 0);
            let size = HEADER_BYTES + one.capability + one.payload;
            let fits = if at == len { size <= max_frame } else { size == max_frame };
            prop_assert!(fits);
        }
        prop_assert_eq!(at, len);
    }

    #[test]
    fn header_blocks_cover_the_body_once(total in 0usize..3_000_000, max_chunk in 30_000usize..=CHUNK_BYTES) {
        let head = Header { flags: flags::REQ | flags::START | flags::END, corr_id: 7, ..Header::default() };
        let (mut from, mut block, mut ended) = (0, [0; HEADER_BLOCK], 0);
        loop {
            let count = write_headers(&Piece { total, from, max_chunk, head }, &mut block).unwrap();
            for bytes in &block.as_chunks::<HEADER_BYTES>().0[..count] {
                let len = check(bytes, FRAME_BYTES).unwrap();
                let header = Header::read(bytes);
                prop_assert_eq!(header.flags & flags::START != 0, from == 0);
                from += len - HEADER_BYTES;
                ended += usize::from(header.flags & flags::END != 0);
                prop_assert_eq!(header.flags & flags::END != 0, from == total);
            }
            if from == total {
                break;
            }
        }
        prop_assert_eq!(ended, 1);
        let more = write_headers(&Piece { total, from, max_chunk, head }, &mut block).unwrap();
        prop_assert!(total == 0 || more == 0);
    }
}

/// Inflates into a buffer whose end is marked, and checks what holds for every input.
fn bounded(guard: &mut Guard, codec: Codec, input: &[u8], max_out: usize) -> Result<Vec<u8>, GuardError> {
    const MARK: [u8; 8] = [0xa5; 8];
    let room = budget(input.len(), max_out) + SLACK;
    let mut out = vec![0; room];
    out.extend_from_slice(&MARK);
    let result = guard.inflate_into(codec, input, max_out, &mut out);
    assert_eq!(out[room..], MARK, "wrote past its room");
    result.map(|n| {
        assert!(n <= budget(input.len(), max_out) && n <= FRAME_BYTES);
        out.truncate(n);
        out
    })
}

/// Damages sound inputs: a few flipped bits, a cut, a doubled stretch, two inputs joined in the middle.
#[test]
fn damaged_inputs_never_break_the_bound() {
    let all: Vec<(Codec, Vec<u8>)> = cases("guard.jsonl")
        .iter()
        .map(|case| {
            let codec = match case["codec"].as_str().unwrap() {
                "zstd" => Codec::Zstd,
                "gzip" => Codec::Gzip,
                "zlib" => Codec::Zlib,
                _ => Codec::Deflate,
            };
            (codec, bytes(case))
        })
        .filter(|(_, input)| (1..20_000).contains(&input.len()))
        .collect();
    let dice: Vec<usize> =
        xorshift(20_26, 4 * 60_000).chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap()) as usize).collect();
    let (mut guard, mut runs, mut accepted) = (Guard::new(), 0, 0);
    for roll in dice.chunks_exact(8) {
        let (codec, sound) = &all[roll[0] % all.len()];
        let mut input = sound.clone();
        match roll[1] % 4 {
            0 => input.truncate(roll[2] % sound.len()),
            1 => {
                let from = roll[2] % sound.len();
                let stretch = input[from..].iter().take(64).copied().collect::<Vec<_>>();
                input.splice(from..from, stretch);
            }
            2 => {
                let other = &all[roll[3] % all.len()].1;
                input.truncate(roll[2] % sound.len());
                input.extend_from_slice(&other[other.len() / 2..]);
            }
            _ => {}
        }
        for bit in &roll[4..5 + roll[1] % 3] {
            if !input.is_empty() {
                let at = bit % (8 * input.len());
                input[at / 8] ^= 1 << (at % 8);
            }
        }
        let max_out = if roll[7] % 3 == 0 { roll[7] % 5000 } else { FRAME_BYTES };
        let first = bounded(&mut guard, *codec, &input, max_out);
        // no state is left over: the same answer again, and from a fresh guard
        assert_eq!(bounded(&mut guard, *codec, &input, max_out), first);
        if runs % 16 == 0 {
            assert_eq!(bounded(&mut Guard::new(), *codec, &input, max_out), first);
        }
        (runs, accepted) = (runs + 1, accepted + usize::from(first.is_ok()));
    }
    assert!(runs >= 7_000 && accepted > 0, "{runs} runs, {accepted} accepted");
}

/// A zstd frame in which nearly every byte orders work: ten times as many take about ten times as long.
/// Best of several, so that a busy machine does not count.
#[test]
fn floods_take_linear_time() {
    let best = |blocks: usize| {
        let head = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x50];
        let flood = [&head[..], &[0, 0, 0].repeat(blocks), &[1, 0, 0]].concat();
        let mut guard = Guard::new();
        let time = |_| {
            let start = Instant::now();
            assert_eq!(guard.inflate(Codec::Zstd, &flood, FRAME_BYTES), Ok(Vec::new()));
            start.elapsed()
        };
        (0..7).map(time).min().unwrap()
    };
    let (few, many) = (best(34_900), best(349_000));
    assert!(many < 30 * few, "{few:?}, {many:?}");
}

/// The two sides of every limit.
#[test]
fn limits_are_exact() {
    assert!(Decoder::new(FRAME_BYTES + 1, true).is_none() && Decoder::new(HEADER_BYTES - 1, true).is_none());
    assert!(Decoder::new(FRAME_BYTES, true).is_some() && Decoder::new(HEADER_BYTES, true).is_some());
    let full = Frame { flags: flags::EVENT, payload: vec![7; FRAME_BYTES - HEADER_BYTES], ..Frame::default() };
    let bytes = encode(&full, usize::MAX).unwrap();
    assert_eq!(bytes.len(), FRAME_BYTES);
    let over = Frame { payload: vec![7; FRAME_BYTES - HEADER_BYTES + 1], ..full };
    assert_eq!(encode(&over, usize::MAX), Err(Fault::FrameTooLarge));
    assert!(chunks(1, CHUNK_BYTES).is_some() && chunks(1, CHUNK_BYTES + 1).is_none() && chunks(1, 0).is_none());
    assert_eq!(budget(usize::MAX, usize::MAX), FRAME_BYTES);
    assert_eq!((budget(10, 1000), budget(10, 79), budget(0, 5)), (80, 79, 0));
    let same_head = fragment(1, HEADER_BYTES, flags::REQ, HEADER_BYTES);
    assert_eq!(same_head.err(), Some(Fault::FrameTooLarge));
}

/// What the decoder holds follows what arrived, never what a header promises.
#[test]
fn nothing_is_reserved_for_a_promise() {
    let mut head = [0; HEADER_BYTES];
    Header { len: FRAME_BYTES as u32, flags: flags::REQ, ..Header::default() }.write(&mut head);
    let mut decoder = Decoder::new(FRAME_BYTES, true).unwrap();
    decoder.push(&head, &mut Vec::new()).unwrap();
    assert_eq!(decoder.pending(), HEADER_BYTES);
    assert!(decoder.capacity() < 1024);
}
