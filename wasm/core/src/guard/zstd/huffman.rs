//! Huffman-coded literals: the tree, and streams of one or four.

use super::bits::Backward;
use super::fse::{Distribution, Table};
use super::{GuardError, Work};

const MAX_BITS: u32 = 11;
const CELLS: usize = 1 << MAX_BITS;
const WEIGHT_LOG: u32 = 6;
const WEIGHT_CELLS: usize = 1 << WEIGHT_LOG;
/// What a decoded weight means: itself.
const WEIGHTS: [(u32, u8); MAX_WEIGHTS + 1] = {
    let mut all = [(0, 0); MAX_WEIGHTS + 1];
    let mut i = 0;
    while i < all.len() {
        all[i].0 = i as u32;
        i += 1;
    }
    all
};
/// Symbols whose weight is written down; the last one's follows from the others.
const MAX_WEIGHTS: usize = 255;
/// Below this many literals four streams do not work out.
const MIN_FOUR_STREAMS: usize = 6;
/// Symbols of [`MAX_BITS`] that one refill is good for.
const BURST: usize = (Backward::REFILLED / MAX_BITS) as usize;

/// A tree as a table: index it with the next `log` bits, find symbol (low byte) and length (high byte).
pub(super) struct Huffman {
    cells: Box<[u16; CELLS]>,
    log: u32,
    weights: Table<WEIGHT_CELLS>,
}

impl Huffman {
    pub fn new() -> Huffman {
        Huffman { cells: Box::new([0; CELLS]), log: 0, weights: Table::new() }
    }

    /// No tree, as at the start of a frame.
    pub fn forget(&mut self) {
        self.log = 0;
    }

    pub fn wipe(&mut self) {
        self.cells.fill(0);
        self.weights.wipe();
        self.forget();
    }

    /// Reads a tree description from the start of `src` and returns its length.
    pub fn read_tree(&mut self, src: &[u8], work: &mut Work) -> Result<usize, GuardError> {
        self.forget();
        let (head, rest) = src.split_first().ok_or(GuardError::Corrupt)?;
        let mut weights = [0u8; MAX_WEIGHTS + 1];
        let (count, len) = if *head >= 128 {
            let count = usize::from(*head) - 127;
            let bytes = rest.get(..count.div_ceil(2)).ok_or(GuardError::Corrupt)?;
            for (i, weight) in weights[..count].iter_mut().enumerate() {
                *weight = if i % 2 == 0 { bytes[i / 2] >> 4 } else { bytes[i / 2] & 15 };
            }
            (count, bytes.len())
        } else {
            let bytes = rest.get(..usize::from(*head)).ok_or(GuardError::Corrupt)?;
            (self.read_weights(bytes, &mut weights, work)?, bytes.len())
        };
        self.build(&mut weights, count, work)?;
        Ok(1 + len)
    }

    /// Weights coded with two alternating states, until the bits run out.
    fn read_weights(
        &mut self,
        src: &[u8],
        weights: &mut [u8; MAX_WEIGHTS + 1],
        work: &mut Work,
    ) -> Result<usize, GuardError> {
        let (spread, used) = Distribution::<{ MAX_WEIGHTS + 1 }>::read(src, WEIGHT_LOG)?;
        self.weights.build(spread.counts(), spread.log(), work, &WEIGHTS)?;
        let cells = self.weights.cells();
        let mut bits = Backward::new(&src[used..])?;
        let mut states = [bits.take(spread.log()) as usize, bits.take(spread.log()) as usize];
        if bits.overrun() {
            return Err(GuardError::Corrupt);
        }
        let mut count = 0;
        loop {
            bits.refill();
            let [state, other] = states;
            let cell = cells[state % WEIGHT_CELLS];
            *weights[..MAX_WEIGHTS].get_mut(count).ok_or(GuardError::Corrupt)? = cell.value as u8;
            count += 1;
            let next = usize::from(cell.next) + bits.take(u32::from(cell.bits)) as usize;
            if bits.overrun() {
                let last = weights[..MAX_WEIGHTS].get_mut(count).ok_or(GuardError::Corrupt)?;
                *last = cells[other % WEIGHT_CELLS].value as u8;
                return Ok(count + 1);
            }
            states = [other, next];
        }
    }

    /// Turns weights into the table. The weight of the last symbol makes their sum a power of two.
    fn build(&mut self, weights: &mut [u8; MAX_WEIGHTS + 1], count: usize, work: &mut Work) -> Result<(), GuardError> {
        let mut of_weight = [0usize; MAX_BITS as usize + 1];
        let mut sum = 0usize;
        for weight in &weights[..count] {
            *of_weight.get_mut(usize::from(*weight)).ok_or(GuardError::Corrupt)? += 1;
            sum += 1 << *weight >> 1;
        }
        if sum == 0 {
            return Err(GuardError::Corrupt);
        }
        let log = sum.ilog2() + 1;
        let rest = (1usize << log) - sum;
        if log > MAX_BITS || !rest.is_power_of_two() {
            return Err(GuardError::Corrupt);
        }
        weights[count] = rest.ilog2() as u8 + 1;
        of_weight[usize::from(weights[count])] += 1;
        // the longest codes come in pairs
        if of_weight[1] < 2 || of_weight[1] % 2 != 0 {
            return Err(GuardError::Corrupt);
        }
        work.charge(1 << log)?;
        let mut start = [0usize; MAX_BITS as usize + 2];
        for weight in 1..=MAX_BITS as usize {
            start[weight + 1] = start[weight] + (of_weight[weight] << (weight - 1));
        }
        for (symbol, weight) in weights[..=count].iter().enumerate() {
            if *weight > 0 {
                let from = &mut start[usize::from(*weight)];
                let to = *from + (1 << (*weight - 1));
                let length = log as u16 + 1 - u16::from(*weight);
                self.cells[*from..to].fill(length << 8 | symbol as u16);
                *from = to;
            }
        }
        self.log = log;
        Ok(())
    }

    /// Decodes all of `dst` from all of `src`.
    pub fn decode(&self, src: &[u8], four_streams: bool, dst: &mut [u8]) -> Result<(), GuardError> {
        if self.log == 0 {
            return Err(GuardError::Corrupt); // a repeated tree, and none before
        }
        if !four_streams {
            let mut bits = Backward::new(src)?;
            self.run(&mut bits, dst);
            return if bits.finished() { Ok(()) } else { Err(GuardError::Corrupt) };
        }
        if dst.len() < MIN_FOUR_STREAMS {
            return Err(GuardError::Corrupt);
        }
        let (sizes, mut src) = src.split_first_chunk::<6>().ok_or(GuardError::Corrupt)?;
        let mut streams = [src; 4];
        for (stream, size) in streams.iter_mut().zip(sizes.as_chunks::<2>().0) {
            let size = usize::from(u16::from_le_bytes(*size));
            (*stream, src) = src.split_at_checked(size).ok_or(GuardError::Corrupt)?;
        }
        streams[3] = src;
        self.decode_four(streams, dst)
    }

    fn decode_four(&self, streams: [&[u8]; 4], dst: &mut [u8]) -> Result<(), GuardError> {
        let segment = dst.len().div_ceil(4);
        let (d0, rest) = dst.split_at_mut(segment);
        let (d1, rest) = rest.split_at_mut(segment);
        let (d2, d3) = rest.split_at_mut(segment);
        let [mut b0, mut b1, mut b2, mut b3] = [
            Backward::new(streams[0])?,
            Backward::new(streams[1])?,
            Backward::new(streams[2])?,
            Backward::new(streams[3])?,
        ];
        // four chains of dependent loads side by side; the last segment is the shortest
        let bursts = d3.len() / BURST;
        let (h0, t0) = d0.split_at_mut(bursts * BURST);
        let (h1, t1) = d1.split_at_mut(bursts * BURST);
        let (h2, t2) = d2.split_at_mut(bursts * BURST);
        let (h3, t3) = d3.split_at_mut(bursts * BURST);
        let quads = h0.as_chunks_mut::<BURST>().0.iter_mut().zip(h1.as_chunks_mut::<BURST>().0);
        let quads = quads.zip(h2.as_chunks_mut::<BURST>().0).zip(h3.as_chunks_mut::<BURST>().0);
        for (((o0, o1), o2), o3) in quads {
            b0.refill();
            b1.refill();
            b2.refill();
            b3.refill();
            for i in 0..BURST {
                o0[i] = self.symbol(&mut b0);
                o1[i] = self.symbol(&mut b1);
                o2[i] = self.symbol(&mut b2);
                o3[i] = self.symbol(&mut b3);
            }
        }
        self.run(&mut b0, t0);
        self.run(&mut b1, t1);
        self.run(&mut b2, t2);
        self.run(&mut b3, t3);
        if [b0, b1, b2, b3].iter().all(Backward::finished) { Ok(()) } else { Err(GuardError::Corrupt) }
    }

    fn run(&self, bits: &mut Backward, dst: &mut [u8]) {
        let (bursts, tail) = dst.as_chunks_mut::<BURST>();
        for burst in bursts {
            bits.refill();
            for out in burst {
                *out = self.symbol(bits);
            }
        }
        bits.refill();
        for out in tail {
            *out = self.symbol(bits);
        }
    }

    #[inline(always)]
    fn symbol(&self, bits: &mut Backward) -> u8 {
        let cell = self.cells[bits.peek(self.log) as usize % CELLS];
        bits.skip(u32::from(cell >> 8));
        cell as u8
    }
}
