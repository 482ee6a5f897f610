//! Bounded inflate: every case of `guard`.

mod common;

use common::{bytes, cases, name, same};
use ron_transport_core::guard::{Codec, Guard, GuardError};
use serde_json::Value;
use std::time::{Duration, Instant};

fn codec(case: &Value) -> Codec {
    match case["codec"].as_str().unwrap() {
        "zstd" => Codec::Zstd,
        "gzip" => Codec::Gzip,
        "zlib" => Codec::Zlib,
        _ => Codec::Deflate,
    }
}

fn matches(expect: &Value, result: &Result<Vec<u8>, GuardError>) -> bool {
    if let Some(any) = expect.get("anyOf") {
        return any.as_array().unwrap().iter().any(|one| matches(one, result));
    }
    match result {
        Ok(out) => expect.get("ok").is_some_and(|ok| same(ok, out)),
        Err(GuardError::TooLarge | GuardError::DeclaredTooLarge) => expect["error"] == "too_large",
        Err(GuardError::Corrupt) => expect["error"] == "corrupt",
        Err(GuardError::Unsupported) => expect["error"] == "unsupported",
    }
}

#[test]
fn guard() {
    let cases = cases("guard.jsonl");
    assert_eq!(cases.len(), 611);
    let mut guard = Guard::new(); // one for all: nothing may leak from case to case
    let mut failed = Vec::new();
    for case in &cases {
        let input = bytes(case);
        let number = |key: &str| case.get(key).map_or(usize::MAX, |n| n.as_u64().unwrap() as usize);
        // a lowered ratio is the caller's: it lowers the output limit
        let max_out = number("maxOutputBytes").min(input.len().saturating_mul(number("maxRatio")));
        let start = Instant::now();
        let result = guard.inflate(codec(case), &input, max_out);
        // microseconds as a rule: this only finds what never ends, on a busy machine too
        assert!(start.elapsed() < Duration::from_secs(20), "{}", name(case));
        if !matches(&case["expect"], &result) {
            failed.push(format!("{}: {:?}, expected {}", name(case), result.map(|o| o.len()), case["expect"]));
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}
