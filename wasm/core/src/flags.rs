//! Flag bits of a header. Bits 8 to 15 are unassigned and have to be 0.

/// Request.
pub const REQ: u16 = 1 << 0;
/// Response.
pub const RESP: u16 = 1 << 1;
/// Event.
pub const EVENT: u16 = 1 << 2;
/// Opens a stream; the only frame that may carry a capability.
pub const START: u16 = 1 << 3;
/// Ends a stream.
pub const END: u16 = 1 << 4;
/// The sender wants an acknowledgement.
pub const ACK_REQ: u16 = 1 << 5;
/// The payload is one zstd frame.
pub const COMP: u16 = 1 << 6;
/// The payload is sealed end to end.
pub const APP_E2E: u16 = 1 << 7;

/// Every assigned bit.
pub const KNOWN: u16 = 0x00ff;
/// The three kinds.
pub const KINDS: u16 = REQ | RESP | EVENT;

/// May a sender emit these flags? Only assigned bits, and exactly one kind. A receiver is more lenient: it takes any
/// combination of assigned bits.
pub const fn sendable(flags: u16) -> bool {
    flags & !KNOWN == 0 && (flags & KINDS).is_power_of_two()
}
