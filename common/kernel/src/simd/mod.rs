//! Sixteen lanes of f32 under one interface: AVX-512, AVX2 with FMA, or plain arrays. What the processor has is found
//! out once, at run time.
//!
//! A kernel is written once against [`Simd`], whose values exist only where the instructions do, and handed to
//! [`InstructionSet::run`]. Every function between the two must be `#[inline(always)]`, so that it is compiled for that
//! instruction set; closures, and functions of the standard library that take them, cannot be relied upon for that, so
//! vectors are handled in loops.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

use portable::Portable;

/// How many values a vector holds, on every instruction set.
pub(crate) const LANES: usize = 16;

/// A vector's worth of memory, on a cache line of its own.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [f32; LANES]);

impl Line {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);

    /// The values of lines, in order.
    #[inline(always)]
    pub(crate) fn flat(lines: &[Self]) -> &[f32] {
        // SAFETY: a line is 16 f32 and, by its alignment and size, nothing else.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LANES)
        }
    }

    /// The values of lines, in order, to be written.
    #[inline(always)]
    pub(crate) fn flat_mut(lines: &mut [Self]) -> &mut [f32] {
        // SAFETY: as above; every bit pattern is an f32.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LANES)
        }
    }
}

/// An instruction set that this processor has: a value of this type proves it.
pub(crate) trait Simd: Copy + Send + Sync {
    /// Sixteen lanes.
    type Vector: Copy;

    fn splat(self, value: f32) -> Self::Vector;
    fn load(self, from: &[f32; LANES]) -> Self::Vector;
    fn store(self, vector: Self::Vector, to: &mut [f32; LANES]);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `c - a * b`
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger of each pair; which zero or NaN it takes is left open.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `value` where `gate > 0`, else 0.
    fn where_positive(self, gate: Self::Vector, value: Self::Vector) -> Self::Vector;
    /// `value` where `a == b`, else 0.
    fn where_equal(self, a: Self::Vector, b: Self::Vector, value: Self::Vector) -> Self::Vector;
    /// 32 values in a row to those at even and those at odd places.
    fn deinterleave2(self, row: [Self::Vector; 2]) -> [Self::Vector; 2];
    /// The inverse of [`Simd::deinterleave2`].
    fn interleave2(self, columns: [Self::Vector; 2]) -> [Self::Vector; 2];
    /// 64 values in a row to their 4 columns: lane `l` of result `j` is value `4 l + j`.
    fn deinterleave4(self, rows: [Self::Vector; 4]) -> [Self::Vector; 4];
    /// The inverse of [`Simd::deinterleave4`].
    fn interleave4(self, columns: [Self::Vector; 4]) -> [Self::Vector; 4];

    /// Fetches the cache line of place `at`, if there is such a place, which will be read soon.
    fn prefetch(self, values: &[f32], at: usize);

    /// The rows and vectors that the registers hold as sums of products at once.
    const TILE: RegisterTile;

    /// Runs `kernel`, compiled for this instruction set.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;
}

/// How many rows of how many vectors of sums fit into the registers, with what is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegisterTile {
    /// 8 rows of up to 3 vectors, for 32 registers of 16 lanes.
    Rows8Vectors3,
    /// 4 rows of one vector, for 16 registers of 8 lanes or fewer.
    Rows4Vectors1,
}

/// A computation for any instruction set. `run` must be `#[inline(always)]`.
pub(crate) trait Kernel {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// The vector at place `at` of `values`.
#[inline(always)]
pub(crate) fn load_at<S: Simd>(simd: S, values: &[f32], at: usize) -> S::Vector {
    simd.load(values[at..].first_chunk().expect("a vector's worth is left"))
}

/// Writes a vector to place `at` of `values`.
#[inline(always)]
pub(crate) fn store_at<S: Simd>(simd: S, vector: S::Vector, values: &mut [f32], at: usize) {
    simd.store(vector, values[at..].first_chunk_mut().expect("a vector's worth is left"));
}

/// The vector at place `at` of `values`, continued by `pad` where they end.
#[inline(always)]
pub(crate) fn load_some<S: Simd>(simd: S, values: &[f32], at: usize, pad: f32) -> S::Vector {
    let rest = &values[at..];
    if let Some(full) = rest.first_chunk() {
        return simd.load(full);
    }
    let mut padded = [pad; LANES];
    padded[..rest.len()].copy_from_slice(rest);
    simd.load(&padded)
}

/// Writes a vector to place `at` of `values`, as far as they go.
#[inline(always)]
pub(crate) fn store_some<S: Simd>(simd: S, vector: S::Vector, values: &mut [f32], at: usize) {
    let rest = &mut values[at..];
    if let Some(full) = rest.first_chunk_mut() {
        simd.store(vector, full);
        return;
    }
    let mut padded = [0.0; LANES];
    simd.store(vector, &mut padded);
    rest.copy_from_slice(&padded[..rest.len()]);
}

/// The sum of a vector's lanes.
#[inline(always)]
pub(crate) fn sum_lanes<S: Simd>(simd: S, vector: S::Vector) -> f64 {
    let mut lanes = [0.0; LANES];
    simd.store(vector, &mut lanes);
    lanes.into_iter().map(f64::from).sum()
}

/// Four vectors from place `at` of `values` on.
#[inline(always)]
pub(crate) fn load4_at<S: Simd>(simd: S, values: &[f32], at: usize) -> [S::Vector; 4] {
    let values: &[f32; 4 * LANES] = values[at..].first_chunk().expect("four vectors' worth is left");
    [
        load_at(simd, values, 0),
        load_at(simd, values, LANES),
        load_at(simd, values, 2 * LANES),
        load_at(simd, values, 3 * LANES),
    ]
}

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<InstructionSet>> = const { std::cell::Cell::new(None) };
}

impl InstructionSet {
    /// Those that this processor has, the best last.
    pub(crate) fn all() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut all = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(x86::Avx2::detect().map(Self::Avx2));
            all.extend(x86::Avx512::detect().map(Self::Avx512));
        }
        all
    }

    /// The best that this processor has.
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<InstructionSet> = OnceLock::new();
        #[cfg(test)]
        if let Some(forced) = Self::forced() {
            return forced;
        }
        *BEST.get_or_init(|| *Self::all().last().expect("the portable one is always there"))
    }

    /// What [`InstructionSet::best`] is said to be on this thread, and on those that help it.
    #[cfg(test)]
    pub(crate) fn forced() -> Option<Self> {
        FORCED.get()
    }

    #[cfg(test)]
    pub(crate) fn force(set: Option<Self>) {
        FORCED.set(set);
    }

    /// Runs `kernel`, compiled for this instruction set.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Self::Portable => Portable.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.run(kernel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Operations;

    impl Kernel for Operations {
        type Output = Vec<[f32; LANES]>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Self::Output {
            let numbers = |first: f32| std::array::from_fn(|lane| first + lane as f32);
            let rows: [[f32; LANES]; 4] = std::array::from_fn(|row| numbers(16.0 * row as f32 - 20.0));
            let [a, b, c, d] = rows.each_ref().map(|row| simd.load(row));
            let mut results = vec![
                simd.add(a, b),
                simd.sub(a, b),
                simd.mul(a, b),
                simd.mul_add(a, b, c),
                simd.neg_mul_add(a, b, c),
                simd.max(a, simd.splat(-10.0)),
                simd.where_positive(b, c),
                simd.where_equal(b, simd.splat(3.0), c),
            ];
            results.extend(simd.deinterleave2([a, b]));
            results.extend(simd.interleave2([a, b]));
            results.extend(simd.deinterleave4([a, b, c, d]));
            results.extend(simd.interleave4([a, b, c, d]));
            let mut out = Vec::new();
            for result in results {
                let mut line = [0.0; LANES];
                simd.store(result, &mut line);
                out.push(line);
            }
            out
        }
    }

    #[test]
    fn instruction_sets_agree() {
        let expected = InstructionSet::Portable.run(Operations);
        assert_eq!(expected[3][1], -19.0 * -3.0 + 13.0);
        assert_eq!(expected[7].iter().sum::<f32>(), 19.0, "only 3 is equal to 3");
        assert_eq!(expected[9][..3], [-19.0, -17.0, -15.0], "odd places");
        assert_eq!(expected[11][..4], [-12.0, 4.0, -11.0, 5.0], "the second halves in turns");
        assert_eq!(expected[13][..3], [-19.0, -15.0, -11.0], "second column of four");
        for set in InstructionSet::all() {
            assert_eq!(set.run(Operations), expected, "{set:?}");
        }
    }
}
