//! Reading `test/vectors/*.jsonl`; the format is described in the README beside them.
#![allow(dead_code)]

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Every case of a file.
pub fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a case a line")).collect()
}

pub fn name(case: &Value) -> &str {
    case["name"].as_str().expect("a name")
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Bytes of a case or of a field: `hex`, or `gen`; null is empty.
pub fn bytes(holder: &Value) -> Vec<u8> {
    match (holder.get("hex"), holder.get("gen")) {
        (Some(text), _) => unhex(text.as_str().unwrap()),
        (_, Some(generator)) => generate(generator),
        _ if holder.is_null() => Vec::new(),
        _ => generate(holder),
    }
}

fn generate(generator: &Value) -> Vec<u8> {
    let (kind, arg) = generator.as_object().unwrap().iter().next().expect("a generator");
    let number = |i: usize| arg[i].as_u64().unwrap();
    match kind.as_str() {
        "hex" => unhex(arg.as_str().unwrap()),
        "repeat" => unhex(arg[0].as_str().unwrap()).repeat(number(1) as usize),
        "prng" => xorshift(number(0) as u32, number(1) as usize),
        "concat" => arg.as_array().unwrap().iter().flat_map(generate).collect(),
        "take" => generate(&arg[0])[..number(1) as usize].to_vec(),
        other => panic!("unknown generator {other}"),
    }
}

/// The vectors' generator of pseudo-random bytes.
pub fn xorshift(seed: u32, n: usize) -> Vec<u8> {
    let mut x = seed;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            x as u8
        })
        .collect()
}

/// Are these the expected bytes? They are written as hex, as length and digest, or as null when absent.
pub fn same(expected: &Value, actual: &[u8]) -> bool {
    match expected {
        Value::Null => actual.is_empty(),
        Value::String(text) => *text == hex(actual),
        _ => expected["len"] == actual.len() && expected["sha256"] == hex(&Sha256::digest(actual)),
    }
}

/// A field that may lower the frame cap.
pub fn max_frame(case: &Value) -> usize {
    case.get("maxFrameBytes").map_or(ron_transport_core::caps::FRAME_BYTES, |n| n.as_u64().unwrap() as usize)
}
