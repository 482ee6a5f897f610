//! A compressed block: literals, then the sequences that weave them with matches.

use super::literals::Literals;
use super::sequences::Sequences;
use super::{GuardError, Source, Work};

/// What blocks of a frame hand on to each other.
pub(super) struct Blocks {
    literals: Literals,
    sequences: Sequences,
}

impl Blocks {
    pub fn new() -> Blocks {
        Blocks { literals: Literals::new(), sequences: Sequences::new() }
    }

    pub fn start_frame(&mut self) {
        self.literals.start_frame();
        self.sequences.start_frame();
    }

    pub fn wipe(&mut self) {
        self.literals.wipe();
        self.sequences.wipe();
    }

    /// Decodes one block to `out[at..]` and returns where its output ends: at most `block_limit` bytes on, and at most
    /// at `budget`.
    pub fn decode(
        &mut self,
        block: &[u8],
        out: &mut [u8],
        at: usize,
        block_limit: usize,
        budget: usize,
        work: &mut Work,
    ) -> Result<usize, GuardError> {
        let mut src = Source(block);
        self.literals.read(&mut src, block_limit, budget - at, work)?;
        let limit = Limit {
            end: budget.min(at + block_limit),
            fault: if budget < at + block_limit { GuardError::TooLarge } else { GuardError::Corrupt },
        };
        let (mut at, mut used) = (at, 0);
        let count = self.sequences.read_header(&mut src, work)?;
        if count > 0 {
            (at, used) = self.sequences.run(src.0, count, &self.literals, out, at, &limit)?;
        } else if !src.0.is_empty() {
            return Err(GuardError::Corrupt);
        }
        let rest = self.literals.len() - used;
        let end = limit.check(at + rest)?;
        out[at..end].copy_from_slice(&self.literals.bytes()[used..used + rest]);
        Ok(end)
    }
}

/// How far a block may write, and what it is called when it would go further.
pub(super) struct Limit {
    end: usize,
    fault: GuardError,
}

impl Limit {
    #[inline(always)]
    pub fn check(&self, at: usize) -> Result<usize, GuardError> {
        if at > self.end { Err(self.fault) } else { Ok(at) }
    }
}
