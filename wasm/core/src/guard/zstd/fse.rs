//! Finite state entropy: how a distribution is described, and the decoding table that it makes.

use super::bits::Forward;
use super::{GuardError, Work};

const MIN_LOG: u32 = 5;
/// "Less than one": a symbol that gets one cell at the end of the table.
const RARE: i16 = -1;

/// Normalised counts of at most `S` symbols; they sum to `1 << log`, a rare one counting 1.
pub(super) struct Distribution<const S: usize> {
    counts: [i16; S],
    symbols: usize,
    log: u32,
}

impl<const S: usize> Distribution<S> {
    /// The count of each symbol.
    pub fn counts(&self) -> &[i16] {
        &self.counts[..self.symbols]
    }

    /// Logarithm of their sum.
    pub fn log(&self) -> u32 {
        self.log
    }

    /// Reads a description from the start of `src`; also returns its length. More than `S` symbols or a table above
    /// `1 << max_log` is corrupt.
    pub fn read(src: &[u8], max_log: u32) -> Result<(Distribution<S>, usize), GuardError> {
        let mut bits = Forward::new(src);
        let log = bits.peek(4) + MIN_LOG;
        bits.skip(4);
        if log > max_log {
            return Err(GuardError::Corrupt);
        }
        let mut counts = [0; S];
        let mut symbols = 0;
        let mut left = 1u32 << log; // cells without a symbol
        while left > 0 {
            if symbols >= S {
                return Err(GuardError::Corrupt);
            }
            // a value in 0..=left+1; the smaller ones, as many as the next power of two allows, take one bit less
            let wide = (left + 1).ilog2() + 1;
            let half = 1 << (wide - 1);
            let short = 2 * half - 1 - (left + 1);
            let low = bits.peek(wide - 1);
            let value = if low < short {
                bits.skip(wide - 1);
                low
            } else {
                let all = bits.peek(wide);
                bits.skip(wide);
                if all >= half { all - short } else { all }
            };
            let count = value as i16 - 1;
            counts[symbols] = count;
            symbols += 1;
            left -= count.unsigned_abs() as u32;
            if count == 0 {
                symbols += zero_run(&mut bits, S - symbols)?;
            }
        }
        Ok((Distribution { counts, symbols, log }, bits.bytes()?))
    }
}

/// After a count of 0: two bits say how many more zeros follow, 3 means that another two bits do.
fn zero_run(bits: &mut Forward, room: usize) -> Result<usize, GuardError> {
    let mut run = 0;
    loop {
        let more = bits.peek(2);
        bits.skip(2);
        run += more as usize;
        if run > room {
            return Err(GuardError::Corrupt);
        }
        if more < 3 {
            return Ok(run);
        }
    }
}

/// One state: what it means, and which state follows.
#[derive(Clone, Copy, Default)]
pub(super) struct Cell {
    /// Meaning of the symbol; the symbol itself where it has no other.
    pub value: u32,
    /// Next state before its bits are added.
    pub next: u16,
    /// Bits to add to `next`.
    pub bits: u8,
    /// Bits to add to `value`.
    pub extra: u8,
}

/// A decoding table of at most `N` cells, a power of two.
pub(super) struct Table<const N: usize> {
    cells: Box<[Cell; N]>,
    log: u32,
}

impl<const N: usize> Table<N> {
    pub fn new() -> Table<N> {
        Table { cells: Box::new([Cell::default(); N]), log: 0 }
    }

    /// Bits of a state.
    pub fn log(&self) -> u32 {
        self.log
    }

    pub fn cells(&self) -> &[Cell; N] {
        &self.cells
    }

    pub fn wipe(&mut self) {
        *self.cells = [Cell::default(); N];
        self.log = 0;
    }

    /// One symbol that takes no bits.
    pub fn set_single(&mut self, (value, extra): (u32, u8)) {
        self.cells[0] = Cell { value, extra, next: 0, bits: 0 };
        self.log = 0;
    }

    /// The table of a distribution of at most `S` symbols whose counts sum to `1 << log`, which is at most `N`. Its
    /// entries are charged first. `meanings` has what each symbol stands for.
    pub fn build<const S: usize>(
        &mut self,
        counts: &[i16],
        log: u32,
        work: &mut Work,
        meanings: &[(u32, u8); S],
    ) -> Result<(), GuardError> {
        let size = 1usize << log;
        work.charge(size)?;
        self.log = log;
        let cells = &mut self.cells[..size];
        let mut next = [0u16; S];
        let mut high = size; // rare symbols take cells from the end down
        for (symbol, count) in counts.iter().enumerate() {
            next[symbol] = count.unsigned_abs();
            if *count == RARE {
                high -= 1;
                cells[high].value = symbol as u32;
            }
        }
        let (step, mask) = ((size >> 1) + (size >> 3) + 3, size - 1);
        let mut at = 0;
        for (symbol, count) in counts.iter().enumerate() {
            for _ in 0..*count {
                cells[at & mask].value = symbol as u32;
                at = (at + step) & mask;
                while at >= high && high > 0 {
                    at = (at + step) & mask;
                }
            }
        }
        for cell in cells {
            let symbol = cell.value as usize % S;
            let state = next[symbol];
            next[symbol] = state.wrapping_add(1);
            let bits = log.wrapping_sub(31u32.wrapping_sub(u32::from(state).leading_zeros()));
            let (value, extra) = meanings[symbol];
            let from = u32::from(state).wrapping_shl(bits).wrapping_sub(size as u32);
            *cell = Cell { value, extra, next: from as u16, bits: bits as u8 };
        }
        Ok(())
    }
}
