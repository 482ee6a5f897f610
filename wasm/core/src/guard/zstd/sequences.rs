//! The sequences section: "so many literals, then so many bytes from so far back", entropy-coded.

use super::bits::Backward;
use super::block::Limit;
use super::codes::{Kind, LITERALS, MATCHES, OFFSETS};
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

/// One of the three tables.
struct Slot<const N: usize> {
    table: Table<N>,
    /// Has this frame set it?
    set: bool,
    /// Does it hold the predefined table? That one is kept over frames, and charged all the same: what an input is
    /// charged must not depend on the inputs before it.
    predefined: bool,
}

impl<const N: usize> Slot<N> {
    fn new() -> Slot<N> {
        Slot { table: Table::new(), set: false, predefined: false }
    }

    fn wipe(&mut self) {
        self.table.wipe();
        (self.set, self.predefined) = (false, false);
    }

    fn fill<const S: usize>(
        &mut self,
        mode: u8,
        kind: &Kind<S>,
        src: &mut Source,
        work: &mut Work,
    ) -> Result<(), GuardError> {
        match mode & 3 {
            PREDEFINED if self.predefined => work.charge(1 << kind.predefined_log)?,
            PREDEFINED => {
                self.table.build(kind.predefined, kind.predefined_log, work, &kind.meanings)?;
                self.predefined = true;
            }
            SINGLE => {
                let code = usize::from(src.u8()?);
                if code >= S {
                    return Err(GuardError::Corrupt);
                }
                self.predefined = false;
                self.table.set_single(kind.meanings[code]);
            }
            DESCRIBED => {
                let (spread, used) = Distribution::<S>::read(src.0, N.ilog2())?;
                src.take(used)?;
                self.predefined = false;
                self.table.build(spread.counts(), spread.log(), work, &kind.meanings)?;
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
        self.literals.wipe();
        self.offsets.wipe();
        self.matches.wipe();
        self.recent = FIRST_OFFSETS;
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
        self.literals.fill(modes >> 6, &LITERALS, src, work)?;
        self.offsets.fill(modes >> 4, &OFFSETS, src, work)?;
        self.matches.fill(modes >> 2, &MATCHES, src, work)?;
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
