//! Makes the CRC of two pieces, one after the other, of the CRCs of both.
//!
//! CRCs are remainders of polynomials over GF(2): the first one moves by the length of the second piece, which is a
//! multiplication by a power of x. `crc_fast::checksum_combine` squares matrices for that, some 80 times the time.

/// A CRC of S3: reflected, and over a register that begins and ends inverted, so that the two inversions cancel out here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc {
    /// Bits of the remainder; the highest one is the coefficient of x^0.
    pub(super) width: u32,
    /// The polynomial without its highest term, in the same order of bits.
    pub(super) polynomial: u64,
}

impl Crc {
    /// How many of the eight bytes of a `u64` the remainder leaves free.
    pub(super) fn unused_bytes(self) -> usize {
        8 - self.width as usize / 8
    }

    /// The CRC of a piece that has the CRC `first`, followed by one of `len` bytes that has the CRC `second`.
    pub(super) fn combine(self, first: u64, second: u64, len: u64) -> u64 {
        self.multiply(first, self.power_of_x_to_bytes(len)) ^ second
    }

    /// The power of x by which `len` bytes move what precedes them, by squaring.
    fn power_of_x_to_bytes(self, mut len: u64) -> u64 {
        let one = 1 << (self.width - 1);
        let (mut power, mut square) = (one, one >> 8);
        while len > 0 {
            if len & 1 == 1 {
                power = self.multiply(power, square);
            }
            square = self.multiply(square, square);
            len >>= 1;
        }
        power
    }

    /// The product of two remainders.
    fn multiply(self, mut a: u64, b: u64) -> u64 {
        let mut product = 0;
        for bit in (0..self.width).rev() {
            product ^= a & mask(b >> bit);
            a = (a >> 1) ^ (self.polynomial & mask(a));
        }
        product
    }
}

/// All ones if the lowest bit is one, so that no branch depends on the data, which no processor could foresee.
fn mask(bits: u64) -> u64 {
    (bits & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::checksum::{Algorithm, Whole};

    proptest! {
        #[test]
        fn the_crc_of_pieces_of_any_length_is_that_of_the_whole(
            bytes in prop::collection::vec(any::<u8>(), 0..5000),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.is_full_object()) {
                let mut whole = Whole::new(algorithm);
                for piece in cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]) {
                    whole.append(&algorithm.sum(piece), piece.len() as u64);
                }
                prop_assert_eq!(whole.base64(), algorithm.sum(&bytes).base64());
            }
        }

        #[test]
        fn pieces_too_long_to_sum_here_combine_as_by_the_slow_way(
            first in any::<u64>(),
            second in any::<u64>(),
            len in 0..5_u64 << 40,
        ) {
            use crc_fast::CrcAlgorithm::{Crc32IsoHdlc, Crc32Iscsi, Crc64Nvme};
            for (algorithm, slow) in
                [(Algorithm::Crc64Nvme, Crc64Nvme), (Algorithm::Crc32, Crc32IsoHdlc), (Algorithm::Crc32c, Crc32Iscsi)]
            {
                let crc = algorithm.crc().unwrap();
                let (first, second) = (first >> (64 - crc.width), second >> (64 - crc.width));
                let expected = crc_fast::checksum_combine(slow, first, second, len);
                prop_assert_eq!(crc.combine(first, second, len), expected);
            }
        }
    }
}
