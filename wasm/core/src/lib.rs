//! OAP/1 on bytes, and nothing else: no socket, no clock, no host binding.
//!
//! * [`caps`]: every size ceiling, once.
//! * [`header`], [`flags`]: the fixed 38 bytes and what makes them valid.
//! * [`index`]: the stateless scan that the hot path runs over a window of received bytes.
//! * [`decoder`], [`encoder`]: whole frames, for hosts that want them.
//! * [`chunker`]: how a body becomes frames.
//! * [`guard`]: bounded inflate.
//!
//! Nothing here allocates in proportion to a length that a peer merely claims.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod caps;
pub mod chunker;
pub mod decoder;
pub mod encoder;
pub mod flags;
pub mod guard;
pub mod header;
pub mod index;
