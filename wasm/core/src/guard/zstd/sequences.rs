//! The sequences section: "so many literals, then so many bytes from so far back", entropy-coded.

use super::bits::Backward;
use super::block::Limit;
use super::fse::{Distribution, Table};
use super::literals::Literals;
use super::{GuardError, Source, Work, copy};

const LITERAL_CELLS: usize = 1 << 9;
const OFFSET_CELLS: usize = 1 << 8;
const MATCH_CELLS: usize = 1 << 9;
const FIRST_OFFSETS: [usize; 3] = [1, 4, 8];
/// Bits that three states take at most.
const STATE_BITS: i32 = 9 + 9 + 8;

const PREDEFINED: u8 = 0;
const SINGLE: u8 = 1;
const DESCRIBED: u8 = 2;

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

fn literal_length(code: usize) -> (u32, u8) {
    code.checked_sub(16).map_or((code as u32, 0), |i| LITERAL_LENGTHS[i])
}

fn match_length(code: usize) -> (u32, u8) {
    code.checked_sub(32).map_or((code as u32 + 3, 0), |i| MATCH_LENGTHS[i])
}

fn offset(code: usize) -> (u32, u8) {
    (1 << code, code as u8)
}

/// One of the three tables, and whether this frame has set it.
struct Slot<const N: usize> {
    table: Table<N>,
    set: bool,
}

/// What a slot may be filled with.
struct Kind {
    predefined: &'static [i16],
    predefined_log: u32,
    symbols: usize,
    meaning: fn(usize) -> (u32, u8),
}

const LITERAL_KIND: Kind =
    Kind { predefined: &LITERAL_COUNTS, predefined_log: 6, symbols: LITERAL_COUNTS.len(), meaning: literal_length };
const OFFSET_KIND: Kind =
    Kind { predefined: &OFFSET_COUNTS, predefined_log: 5, symbols: OFFSET_SYMBOLS, meaning: offset };
const MATCH_KIND: Kind =
    Kind { predefined: &MATCH_COUNTS, predefined_log: 6, symbols: MATCH_COUNTS.len(), meaning: match_length };

impl<const N: usize> Slot<N> {
    fn new() -> Slot<N> {
        Slot { table: Table::new(), set: false }
    }

    fn fill(&mut self, mode: u8, kind: &Kind, src: &mut Source, work: &mut Work) -> Result<(), GuardError> {
        match mode & 3 {
            PREDEFINED => self.table.build(kind.predefined, kind.predefined_log, work, kind.meaning)?,
            SINGLE => {
                let code = usize::from(src.u8()?);
                if code >= kind.symbols {
                    return Err(GuardError::Corrupt);
                }
                self.table.set_single((kind.meaning)(code));
            }
            DESCRIBED => {
                let (spread, used) = Distribution::read(src.0, N.ilog2(), kind.symbols)?;
                src.take(used)?;
                self.table.build(&spread.counts[..spread.symbols], spread.log, work, kind.meaning)?;
            }
            _ if self.set => {}
            _ => return Err(GuardError::Corrupt),
        }
        self.set = true;
        Ok(())
    }
}

/// Tables and recent offsets; blocks of a frame hand them on.
pub(super) struct Sequences {
    literals: Slot<LITERAL_CELLS>,
    offsets: Slot<OFFSET_CELLS>,
    matches: Slot<MATCH_CELLS>,
    recent: [usize; 3],
}

impl Sequences {
    pub fn new() -> Sequences {
        Sequences { literals: Slot::new(), offsets: Slot::new(), matches: Slot::new(), recent: FIRST_OFFSETS }
    }

    pub fn start_frame(&mut self) {
        (self.literals.set, self.offsets.set, self.matches.set) = (false, false, false);
        self.recent = FIRST_OFFSETS;
    }

    pub fn wipe(&mut self) {
        self.literals.table.wipe();
        self.offsets.table.wipe();
        self.matches.table.wipe();
        self.start_frame();
    }

    /// Reads the number of sequences and, when there are any, the tables.
    pub fn read_header(&mut self, src: &mut Source, work: &mut Work) -> Result<usize, GuardError> {
        let count = match src.u8()? {
            0 => return Ok(0),
            b @ ..128 => usize::from(b),
            b @ ..255 => (usize::from(b) - 128) << 8 | usize::from(src.u8()?),
            255 => usize::from(src.u16()?) + 0x7f00,
        };
        let modes = src.u8()?;
        if modes & 3 != 0 {
            return Err(GuardError::Corrupt);
        }
        self.literals.fill(modes >> 6, &LITERAL_KIND, src, work)?;
        self.offsets.fill(modes >> 4, &OFFSET_KIND, src, work)?;
        self.matches.fill(modes >> 2, &MATCH_KIND, src, work)?;
        Ok(count)
    }

    /// Decodes and carries out `count` sequences from all of `src`. Returns where the output ends and how many literals
    /// were used.
    pub fn run(
        &mut self,
        src: &[u8],
        count: usize,
        literals: &Literals,
        out: &mut [u8],
        mut at: usize,
        limit: &Limit,
    ) -> Result<(usize, usize), GuardError> {
        let (lit_cells, off_cells, match_cells) =
            (self.literals.table.cells(), self.offsets.table.cells(), self.matches.table.cells());
        let (bytes, available) = (literals.bytes(), literals.len());
        let mut recent = self.recent;
        let mut used = 0;
        let mut bits = Backward::new(src)?;
        let mut lit_state = bits.take(self.literals.table.log()) as usize;
        let mut off_state = bits.take(self.offsets.table.log()) as usize;
        let mut match_state = bits.take(self.matches.table.log()) as usize;
        for left in (0..count).rev() {
            bits.refill();
            let l = lit_cells[lit_state % LITERAL_CELLS];
            let o = off_cells[off_state % OFFSET_CELLS];
            let m = match_cells[match_state % MATCH_CELLS];
            let value = o.value.wrapping_add(bits.take(u32::from(o.extra)) as u32);
            if u32::from(o.extra) + u32::from(m.extra) + u32::from(l.extra) > Backward::REFILLED {
                bits.refill();
            }
            let match_len = m.value.wrapping_add(bits.take(u32::from(m.extra)) as u32) as usize;
            let lit_len = l.value.wrapping_add(bits.take(u32::from(l.extra)) as u32) as usize;
            if left > 0 {
                if bits.ready() < STATE_BITS {
                    bits.refill();
                }
                lit_state = usize::from(l.next).wrapping_add(bits.take(u32::from(l.bits)) as usize);
                match_state = usize::from(m.next).wrapping_add(bits.take(u32::from(m.bits)) as usize);
                off_state = usize::from(o.next).wrapping_add(bits.take(u32::from(o.bits)) as usize);
            }
            if bits.overrun() {
                return Err(GuardError::Corrupt);
            }
            let distance = resolve(&mut recent, value, lit_len == 0);
            if lit_len > available - used {
                return Err(GuardError::Corrupt);
            }
            let from = at + lit_len;
            let end = limit.check(from + match_len)?;
            // nothing before the frame can be referred to; 0 stands for a repeated offset minus one that is none
            if distance > from || distance == 0 {
                return Err(GuardError::Corrupt);
            }
            copy::literals(bytes, used, out, at, lit_len);
            copy::matched(out, from, distance, match_len);
            used += lit_len;
            at = end;
        }
        self.recent = recent;
        if bits.finished() { Ok((at, used)) } else { Err(GuardError::Corrupt) }
    }
}

/// The distance that an offset value stands for: 1 to 3 name recent ones (shifted by one when there are no literals).
#[inline(always)]
fn resolve(recent: &mut [usize; 3], value: u32, no_literals: bool) -> usize {
    if value > 3 {
        let distance = (value - 3) as usize;
        *recent = [distance, recent[0], recent[1]];
        return distance;
    }
    match value + u32::from(no_literals) {
        1 => recent[0],
        2 => {
            recent.swap(0, 1);
            recent[0]
        }
        n => {
            let distance = if n == 3 { recent[2] } else { recent[0] - 1 };
            *recent = [distance, recent[0], recent[1]];
            distance
        }
    }
}
