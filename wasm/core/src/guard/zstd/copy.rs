//! Copies into the output in whole words: they may write up to [`SLACK`](crate::guard::SLACK) bytes past their end,
//! which later output overwrites.

const WORD: usize = 16;
const HALF: usize = 8;
/// From here on one block copy is cheaper than words.
const LONG: usize = 96;

#[inline(always)]
fn word<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
    *from[at..].first_chunk().expect("slack after the source")
}

#[inline(always)]
fn put<const N: usize>(out: &mut [u8], at: usize, bytes: [u8; N]) {
    *out[at..].first_chunk_mut().expect("slack after the output") = bytes;
}

/// Copies `len` bytes of `from[start..]`, which has slack after them, to `out[at..]`.
#[inline(always)]
pub(super) fn literals(from: &[u8], start: usize, out: &mut [u8], at: usize, len: usize) {
    put::<WORD>(out, at, word(from, start));
    if len > WORD {
        if len >= LONG {
            out[at..at + len].copy_from_slice(&from[start..start + len]);
        } else {
            let mut done = WORD;
            while done < len {
                put::<WORD>(out, at + done, word(from, start + done));
                done += WORD;
            }
        }
    }
}

/// Repeats `len` bytes from `distance` bytes back at `out[at..]`; `1 <= distance <= at`.
#[inline(always)]
pub(super) fn matched(out: &mut [u8], at: usize, distance: usize, len: usize) {
    let from = at - distance;
    if distance >= WORD {
        let bytes: [u8; WORD] = word(out, from);
        put(out, at, bytes);
        if len > WORD {
            if len >= LONG && distance >= len {
                out.copy_within(from..from + len, at);
            } else {
                let mut done = WORD;
                while done < len {
                    let bytes: [u8; WORD] = word(out, from + done);
                    put(out, at + done, bytes);
                    done += WORD;
                }
            }
        }
    } else {
        overlapping(out, at, distance, len);
    }
}

/// A pattern shorter than a word.
#[inline(never)]
fn overlapping(out: &mut [u8], at: usize, distance: usize, len: usize) {
    if distance == 1 {
        let byte = out[at - 1];
        out[at..at + len].fill(byte);
        return;
    }
    // write the pattern until it is half a word long, then go on with the multiple of it
    let reach = if distance >= HALF { distance } else { distance * HALF.div_ceil(distance) };
    let mut done = 0;
    while done < len.min(reach - distance) {
        out[at + done] = out[at + done - distance];
        done += 1;
    }
    while done < len {
        let bytes: [u8; HALF] = word(out, at + done - reach);
        put(out, at + done, bytes);
        done += HALF;
    }
}
