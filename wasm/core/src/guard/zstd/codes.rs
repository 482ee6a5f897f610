//! What the codes of sequences stand for, and the distributions that a block may use without describing them.

#[rustfmt::skip]
const LITERAL_COUNTS: [i16; 36] = [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
];
#[rustfmt::skip]
const MATCH_COUNTS: [i16; 53] = [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
];
const OFFSET_COUNTS: [i16; 29] =
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1];
const OFFSET_SYMBOLS: usize = 32;

/// Literal lengths from code 16 on: base and extra bits.
#[rustfmt::skip]
const LITERAL_LENGTHS: [(u32, u8); 20] = [
    (16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3), (48, 4), (64, 6),
    (128, 7), (256, 8), (512, 9), (1024, 10), (2048, 11), (4096, 12), (8192, 13), (16384, 14), (32768, 15), (65536, 16),
];
/// Match lengths from code 32 on: base and extra bits.
#[rustfmt::skip]
const MATCH_LENGTHS: [(u32, u8); 21] = [
    (35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3), (67, 4), (83, 4), (99, 5),
    (131, 7), (259, 8), (515, 9), (1027, 10), (2051, 11), (4099, 12), (8195, 13), (16387, 14), (32771, 15), (65539, 16),
];

/// Codes of a table, padded with one that nothing decodes to: a power of two makes every lookup in bounds.
const CODES: usize = 64;
type Meanings = [(u32, u8); CODES];

/// The first `plain` codes stand for themselves plus `base`, the others for what is listed.
const fn meanings(plain: usize, base: u32, listed: &[(u32, u8)]) -> Meanings {
    let mut all = [(0, 0); CODES];
    let mut code = 0;
    while code < plain + listed.len() {
        all[code] = if code < plain { (code as u32 + base, 0) } else { listed[code - plain] };
        code += 1;
    }
    all
}

const fn offset_meanings() -> Meanings {
    let mut all = [(0, 0); CODES];
    let mut code = 0;
    while code < OFFSET_SYMBOLS {
        all[code] = (1 << code, code as u8);
        code += 1;
    }
    all
}

/// What a slot may be filled with; `S` symbols.
pub(super) struct Kind<const S: usize> {
    /// Counts that need no description.
    pub predefined: &'static [i16],
    /// Logarithm of their sum.
    pub predefined_log: u32,
    /// What each code stands for: base and extra bits.
    pub meanings: Meanings,
}

pub(super) static LITERALS: Kind<{ LITERAL_COUNTS.len() }> =
    Kind { predefined: &LITERAL_COUNTS, predefined_log: 6, meanings: meanings(16, 0, &LITERAL_LENGTHS) };
pub(super) static OFFSETS: Kind<OFFSET_SYMBOLS> =
    Kind { predefined: &OFFSET_COUNTS, predefined_log: 5, meanings: offset_meanings() };
pub(super) static MATCHES: Kind<{ MATCH_COUNTS.len() }> =
    Kind { predefined: &MATCH_COUNTS, predefined_log: 6, meanings: meanings(32, 3, &MATCH_LENGTHS) };
