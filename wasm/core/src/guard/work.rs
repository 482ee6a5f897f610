//! The work limit: decoding tables are the one thing that a few bytes can order many of.
//!
//! Input bytes, output bytes and table entries built may together reach `budget + 64 × input`. Input is bounded by its
//! length and output by the budget, so it is the entries that have to be charged before they are built.

use super::GuardError;

/// Table entries allowed for each input byte, over the budget.
const ENTRIES_A_BYTE: usize = 64;

/// What is left of the limit.
pub(super) struct Work {
    left: usize,
}

impl Work {
    /// The limit of an input; its own bytes are charged at once.
    pub fn new(input: usize, budget: usize) -> Work {
        Work { left: budget.saturating_add(input.saturating_mul(ENTRIES_A_BYTE - 1)) }
    }

    /// Charges output bytes or table entries.
    pub fn charge(&mut self, units: usize) -> Result<(), GuardError> {
        self.left = self.left.checked_sub(units).ok_or(GuardError::TooLarge)?;
        Ok(())
    }
}
