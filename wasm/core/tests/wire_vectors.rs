//! Frames: every case of `decode`, `split`, `encode` and `chunk`.

mod common;

use common::{bytes, cases, max_frame, name, same};
use ron_transport_core::chunker::{Chunks, chunks, fragment};
use ron_transport_core::decoder::{Decoder, Frame};
use ron_transport_core::encoder::{encode, may_compress};
use ron_transport_core::header::VERSION;
use serde_json::Value;

fn number(v: &Value) -> usize {
    v.as_u64().unwrap() as usize
}

fn assert_frame(expected: &Value, frame: &Frame, case: &str) {
    let tenant = u128::from_str_radix(expected["tenantId"].as_str().unwrap(), 16).unwrap();
    let corr: u64 = expected["corrId"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (number(&expected["len"]), number(&expected["flags"]), number(&expected["code"])),
        (frame.len(), frame.flags as usize, frame.code as usize),
        "{case}"
    );
    assert_eq!(number(&expected["appProtoId"]), frame.app_proto_id as usize, "{case}");
    assert_eq!((tenant, corr), (frame.tenant_id, frame.corr_id), "{case}");
    assert!(same(&expected["capability"], &frame.capability), "{case}: capability");
    assert!(same(&expected["payload"], &frame.payload), "{case}: payload");
}

fn assert_decodes<'a>(case: &Value, slices: impl Iterator<Item = &'a [u8]>) {
    let (case_name, expect) = (name(case), &case["expect"]);
    let inflate = case.get("codec").is_none_or(|c| c != false);
    let mut decoder = Decoder::new(max_frame(case), inflate).expect("a legal limit");
    let mut frames = Vec::new();
    for slice in slices {
        let answer = decoder.push(slice, &mut frames);
        assert_eq!(answer.err(), decoder.fault(), "{case_name}");
    }
    let expected = expect["frames"].as_array().unwrap();
    assert_eq!(frames.len(), expected.len(), "{case_name}: frames, fault {:?}", decoder.fault());
    for (expected, frame) in expected.iter().zip(&frames) {
        assert_frame(expected, frame, case_name);
    }
    let fault = decoder.fault().map(|f| f.name());
    assert_eq!(fault, expect.get("error").map(|e| e["name"].as_str().unwrap()), "{case_name}: fault");
    assert_eq!(decoder.pending() > 0, expect.get("needMore").is_some(), "{case_name}: held bytes");
    // poisoned: the fault stays, nothing more comes
    if let Some(fault) = decoder.fault() {
        let before = frames.len();
        assert_eq!(decoder.push(&[0; 64], &mut frames), Err(fault));
        assert_eq!(frames.len(), before);
    }
}

#[test]
fn decode() {
    let cases = cases("decode.jsonl");
    assert_eq!(cases.len(), 656);
    for case in &cases {
        let input = bytes(case);
        assert_decodes(case, std::iter::once(&input[..]));
        assert_decodes(case, input.chunks(37));
    }
}

#[test]
fn split() {
    let cases = cases("split.jsonl");
    assert_eq!(cases.len(), 77);
    for case in &cases {
        let input = bytes(case);
        match &case["cuts"] {
            Value::Array(cuts) => {
                let ends = cuts.iter().map(number).chain([input.len()]);
                let mut from = 0;
                let slices: Vec<&[u8]> = ends.map(|to| &input[std::mem::replace(&mut from, to)..to]).collect();
                assert_decodes(case, slices.into_iter());
            }
            every => assert_decodes(case, input.chunks(number(&every["every"]))),
        }
    }
}

#[test]
fn encode_and_decide() {
    let cases = cases("encode.jsonl");
    assert_eq!(cases.len(), 189);
    for case in &cases {
        let expect = &case["expect"];
        if case["op"] == "compDecision" {
            let may = may_compress(number(&case["rawLen"]), number(&case["compressedLen"]), max_frame(case));
            assert_eq!(expect["comp"], may, "{}", name(case));
            continue;
        }
        let field = &case["frame"];
        let frame = Frame {
            flags: number(&field["flags"]) as u16,
            code: number(&field["code"]) as u16,
            app_proto_id: number(&field["appProtoId"]) as u16,
            tenant_id: u128::from_str_radix(field["tenantId"].as_str().unwrap(), 16).unwrap(),
            corr_id: field["corrId"].as_str().unwrap().parse().unwrap(),
            capability: bytes(&field["capability"]),
            payload: bytes(&field["payload"]),
        };
        // the type has no version: there is one, and a host that lets callers name another has to compare
        let other_version = field.get("ver").is_some_and(|v| v != VERSION);
        match encode(&frame, max_frame(case)) {
            Ok(_) if other_version => assert_eq!(expect["error"]["name"], "BadVersion", "{}", name(case)),
            Ok(out) => assert!(same(expect.get("hex").unwrap_or(expect), &out), "{}", name(case)),
            Err(fault) => assert_eq!(expect["error"]["name"], fault.name(), "{}", name(case)),
        }
    }
}

#[test]
fn chunk_and_fragment() {
    let cases = cases("chunk.jsonl");
    assert_eq!(cases.len(), 43);
    for case in &cases {
        let expect = &case["expect"];
        if case["op"] == "chunk" {
            let made = chunks(number(&case["len"]), number(&case["chunkBytes"])).unwrap();
            let wanted = Chunks {
                count: number(&expect["count"]),
                full: number(&expect["full"]),
                last: number(&expect["last"]),
            };
            assert_eq!(made, wanted, "{}", name(case));
            continue;
        }
        let (payload, capability) = (number(&case["payloadLen"]), number(&case["capabilityLen"]));
        let made = fragment(payload, capability, number(&case["flags"]) as u16, max_frame(case));
        if let Some(error) = expect.get("error") {
            assert_eq!(error["name"], made.err().unwrap().name(), "{}", name(case));
            continue;
        }
        let mut made = made.unwrap();
        let mut offset = 0;
        for run in expect["frames"].as_array().unwrap() {
            for _ in 0..number(&run["times"]) {
                let one = made.next().unwrap_or_else(|| panic!("{}: too few", name(case)));
                assert_eq!(one.offset, offset, "{}", name(case));
                assert_eq!(
                    (number(&run["len"]), number(&run["flags"]), number(&run["payloadLen"])),
                    (38 + one.capability + one.payload, one.flags as usize, one.payload),
                    "{}",
                    name(case)
                );
                offset += one.payload;
            }
        }
        assert_eq!(made.next(), None, "{}: too many", name(case));
        assert_eq!(offset, payload, "{}", name(case));
    }
}
