//! The fixed header: 38 bytes, big-endian, and the checks that they have to pass.

use crate::caps::HEADER_BYTES;
use crate::flags;

/// The one version of the protocol.
pub const VERSION: u16 = 1;

/// Why bytes are not a frame, or a frame has no bytes. The discriminants are the numbers that the host sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    /// Longer than the limit in force, or of length 0.
    FrameTooLarge = 1,
    /// A version other than 1.
    BadVersion = 2,
    /// An unassigned flag bit; when sending, also not exactly one kind.
    BadFlags = 3,
    /// A capability on a frame that opens nothing.
    CapOnNonStart = 4,
    /// The capability does not fit the frame, or its 16-bit length.
    CapOutOfBounds = 5,
    /// A length shorter than the header itself.
    TruncatedHeader = 6,
    /// A compressed payload, and no inflater here.
    CodecMissing = 7,
    /// The payload inflates to more than is allowed.
    DecompressBoundExceeded = 8,
    /// The payload is not one sound zstd frame.
    CodecError = 9,
}

impl Fault {
    /// The number that the host sees; never 0.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The name used in errors, logs and test vectors.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::FrameTooLarge => "FrameTooLarge",
            Fault::BadVersion => "BadVersion",
            Fault::BadFlags => "BadFlags",
            Fault::CapOnNonStart => "CapOnNonStart",
            Fault::CapOutOfBounds => "CapOutOfBounds",
            Fault::TruncatedHeader => "TruncatedHeader",
            Fault::CodecMissing => "CodecMissing",
            Fault::DecompressBoundExceeded => "DecompressBoundExceeded",
            Fault::CodecError => "CodecError",
        }
    }
}

/// A header, field by field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The whole frame, this header included.
    pub len: u32,
    /// See [`flags`].
    pub flags: u16,
    /// Status, or a code of the application; 0 on requests.
    pub code: u16,
    /// Application protocol; 0 is the control protocol.
    pub app_proto_id: u16,
    /// 0 is unused.
    pub tenant_id: u128,
    /// Length of the capability after the header.
    pub cap_len: u16,
    /// Pairs an answer with its request.
    pub corr_id: u64,
}

impl Header {
    /// The fields of bytes that [`check`] accepted.
    pub fn read(b: &[u8; HEADER_BYTES]) -> Header {
        Header {
            len: be32(b, 0),
            flags: be16(b, 6),
            code: be16(b, 8),
            app_proto_id: be16(b, 10),
            tenant_id: u128::from(be64(b, 12)) << 64 | u128::from(be64(b, 20)),
            cap_len: be16(b, 28),
            corr_id: be64(b, 30),
        }
    }

    /// Writes the fields and the version. Checks nothing.
    pub fn write(&self, b: &mut [u8; HEADER_BYTES]) {
        b[0..4].copy_from_slice(&self.len.to_be_bytes());
        b[4..6].copy_from_slice(&VERSION.to_be_bytes());
        b[6..8].copy_from_slice(&self.flags.to_be_bytes());
        b[8..10].copy_from_slice(&self.code.to_be_bytes());
        b[10..12].copy_from_slice(&self.app_proto_id.to_be_bytes());
        b[12..28].copy_from_slice(&self.tenant_id.to_be_bytes());
        b[28..30].copy_from_slice(&self.cap_len.to_be_bytes());
        b[30..38].copy_from_slice(&self.corr_id.to_be_bytes());
    }
}

/// Length of the frame that starts with these bytes, or the first fault in the order of the protocol: flags, version,
/// size, capability without START, length below the header, capability past the end.
///
/// `max_frame` is legal ([`crate::caps::frame_limit_is_legal`]); the result is then in `HEADER_BYTES..=max_frame`.
#[inline(always)]
pub fn check(b: &[u8; HEADER_BYTES], max_frame: usize) -> Result<usize, Fault> {
    let len = be32(b, 0) as usize;
    // read little-endian, "version 1 and no unassigned flag" is one comparison
    let plain = le32(b, 4) & 0x00ff_ffff == 0x0000_0100 && le16(b, 28) == 0;
    if plain && HEADER_BYTES <= len && len <= max_frame {
        Ok(len)
    } else {
        check_slowly(len, be32(b, 4), usize::from(be16(b, 28)), max_frame)
    }
}

/// The same of a header's words: its length, version and flags, and the length of the capability, which is 16 bits long.
#[inline(always)]
pub fn check_words(len: u32, version_flags: u32, cap_len: u32, max_frame: usize) -> Result<usize, Fault> {
    let len = len as usize;
    let plain = version_flags & 0xffff_ff00 == u32::from(VERSION) << 16 && cap_len == 0;
    if plain && HEADER_BYTES <= len && len <= max_frame {
        Ok(len)
    } else {
        check_slowly(len, version_flags, cap_len as usize, max_frame)
    }
}

#[cold]
#[inline(never)]
fn check_slowly(len: usize, version_flags: u32, cap_len: usize, max_frame: usize) -> Result<usize, Fault> {
    let (version, bits) = ((version_flags >> 16) as u16, version_flags as u16);
    if bits & !flags::KNOWN != 0 {
        Err(Fault::BadFlags)
    } else if version != VERSION {
        Err(Fault::BadVersion)
    } else if len > max_frame || len == 0 {
        Err(Fault::FrameTooLarge)
    } else if cap_len > 0 && bits & flags::START == 0 {
        Err(Fault::CapOnNonStart)
    } else if len < HEADER_BYTES {
        Err(Fault::TruncatedHeader)
    } else if cap_len > len - HEADER_BYTES {
        Err(Fault::CapOutOfBounds)
    } else {
        Ok(len)
    }
}

// Whole chunks, not byte by byte: the compiler makes one load of each.

#[inline(always)]
pub(crate) fn le32(b: &[u8; HEADER_BYTES], at: usize) -> u32 {
    b[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[inline(always)]
fn le16(b: &[u8; HEADER_BYTES], at: usize) -> u16 {
    b[at..].first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

#[inline(always)]
fn be16(b: &[u8; HEADER_BYTES], at: usize) -> u16 {
    le16(b, at).swap_bytes()
}

#[inline(always)]
fn be32(b: &[u8; HEADER_BYTES], at: usize) -> u32 {
    le32(b, at).swap_bytes()
}

#[inline(always)]
fn be64(b: &[u8; HEADER_BYTES], at: usize) -> u64 {
    u64::from(be32(b, at)) << 32 | u64::from(be32(b, at + 4))
}
