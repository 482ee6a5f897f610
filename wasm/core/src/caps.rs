//! Size ceilings. This is the only place that has them: the module exports [`TABLE`], and the TypeScript side refuses to
//! start when its own table differs.
//!
//! A caller may lower a limit for one call, never raise it: every entry point compares with these constants.

/// Largest frame: header, capability and payload together.
pub const FRAME_BYTES: usize = 1_048_576;
/// Largest payload of a stream chunk.
pub const CHUNK_BYTES: usize = 65_536;
/// Inflated bytes allowed for each compressed byte.
pub const INFLATE_RATIO: usize = 8;
/// The fixed header.
pub const HEADER_BYTES: usize = 38;
/// Largest capability section.
pub const CAPABILITY_BYTES: usize = 65_535;
/// Frames in flight on one connection.
pub const INFLIGHT_FRAMES: usize = 64;
/// Items in a connection's inbox.
pub const INBOX_ITEMS: usize = 256;
/// Items in a work queue.
pub const WORK_ITEMS: usize = 512;
/// Events kept for an observer.
pub const EVENTS: usize = 1024;

/// The constants above in the order in which they are written, as the host reads them.
pub const TABLE: [u32; 9] = [
    FRAME_BYTES as u32,
    CHUNK_BYTES as u32,
    INFLATE_RATIO as u32,
    HEADER_BYTES as u32,
    CAPABILITY_BYTES as u32,
    INFLIGHT_FRAMES as u32,
    INBOX_ITEMS as u32,
    WORK_ITEMS as u32,
    EVENTS as u32,
];

/// Is this a frame limit that a caller may ask for? It has to fit one header and stay within [`FRAME_BYTES`].
pub const fn frame_limit_is_legal(max_frame: usize) -> bool {
    HEADER_BYTES <= max_frame && max_frame <= FRAME_BYTES
}
