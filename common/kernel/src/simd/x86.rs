//! AVX-512 (foundation), and AVX2 with FMA.
//!
//! `Avx512` and `Avx2` can only be had from `detect`, so wherever there is one, its instructions are. That is what
//! all the `unsafe` here rests on. Vectors go to and from memory as arrays: unlike the intrinsics for that, which check
//! their pointers in debug builds, this is fast there too.
#![allow(unsafe_code)] // calls of intrinsics

use std::arch::x86_64::{
    __m256, __m512, _CMP_EQ_OQ, _CMP_GT_OQ, _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_and_ps,
    _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_fnmadd_ps, _mm256_max_ps, _mm256_mul_ps, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_sub_ps, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_fnmadd_ps,
    _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_mul_ps, _mm512_permutex2var_ps, _mm512_set1_ps,
    _mm512_setr_epi32, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_sub_ps,
};
use std::mem::transmute;

use super::{Kernel, LANES, RegisterTile, Simd, portable::Portable};

/// Proof that the processor has AVX-512F.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512 {
    _detected: (),
}

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self { _detected: () })
    }
}

/// Runs what is inside; every use is within a method of a value that proves that the instructions are there.
macro_rules! detected {
    ($call:expr) => {
        // SAFETY: `self` exists, so the processor has the instruction set of these intrinsics (see `detect`). A vector is
        // as many f32, in order.
        unsafe { $call }
    };
}

impl Simd for Avx512 {
    type Vector = __m512;

    const TILE: RegisterTile = RegisterTile::Rows8Vectors3;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        detected!(_mm512_set1_ps(value))
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> __m512 {
        detected!(transmute::<[f32; LANES], __m512>(*from))
    }

    #[inline(always)]
    fn store(self, vector: __m512, to: &mut [f32; LANES]) {
        *to = detected!(transmute::<__m512, [f32; LANES]>(vector));
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        detected!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        detected!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        detected!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        detected!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        detected!(_mm512_fnmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        detected!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn where_positive(self, gate: __m512, value: __m512) -> __m512 {
        detected!(_mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(gate, _mm512_setzero_ps()), value))
    }

    #[inline(always)]
    fn where_equal(self, a: __m512, b: __m512, value: __m512) -> __m512 {
        detected!(_mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), value))
    }

    #[inline(always)]
    fn deinterleave2(self, [a, b]: [__m512; 2]) -> [__m512; 2] {
        detected!({
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            [_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b)]
        })
    }

    #[inline(always)]
    fn interleave2(self, [even, odd]: [__m512; 2]) -> [__m512; 2] {
        detected!({
            let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            [_mm512_permutex2var_ps(even, first, odd), _mm512_permutex2var_ps(even, second, odd)]
        })
    }

    #[inline(always)]
    fn deinterleave4(self, [a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
        detected!({
            // Columns 0 and 1 of the eight rows in two vectors, each eight long; then columns 2 and 3.
            let columns01 = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
            let columns23 = _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
            let (first01, last01) =
                (_mm512_permutex2var_ps(a, columns01, b), _mm512_permutex2var_ps(c, columns01, d));
            let (first23, last23) =
                (_mm512_permutex2var_ps(a, columns23, b), _mm512_permutex2var_ps(c, columns23, d));
            [
                _mm512_shuffle_f32x4::<0x44>(first01, last01),
                _mm512_shuffle_f32x4::<0xEE>(first01, last01),
                _mm512_shuffle_f32x4::<0x44>(first23, last23),
                _mm512_shuffle_f32x4::<0xEE>(first23, last23),
            ]
        })
    }

    #[inline(always)]
    fn interleave4(self, [a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
        detected!({
            // The first eight rows of columns 0 and 1, and of 2 and 3; then the last eight.
            let (first01, last01) = (_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xEE>(a, b));
            let (first23, last23) = (_mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xEE>(c, d));
            let rows0 = _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
            let rows4 = _mm512_setr_epi32(4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
            [
                _mm512_permutex2var_ps(first01, rows0, first23),
                _mm512_permutex2var_ps(first01, rows4, first23),
                _mm512_permutex2var_ps(last01, rows0, last23),
                _mm512_permutex2var_ps(last01, rows4, last23),
            ]
        })
    }

    #[inline(always)]
    fn prefetch(self, values: &[f32], at: usize) {
        if let Some(value) = values.get(at) {
            detected!(_mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()));
        }
    }

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn compiled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` proves AVX-512F, which every processor has together with AVX2 and FMA.
        unsafe { compiled(self, kernel) }
    }
}

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2 {
    _detected: (),
}

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"))
            .then_some(Self { _detected: () })
    }
}

/// Applies an intrinsic to both halves.
macro_rules! halves {
    ($intrinsic:ident($($operand:ident),+)) => {
        detected!([$intrinsic($($operand[0]),+), $intrinsic($($operand[1]),+)])
    };
}

impl Simd for Avx2 {
    type Vector = [__m256; 2];

    const TILE: RegisterTile = RegisterTile::Rows4Vectors1;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Vector {
        detected!([_mm256_set1_ps(value); 2])
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::Vector {
        detected!(transmute::<[f32; LANES], [__m256; 2]>(*from))
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, to: &mut [f32; LANES]) {
        *to = detected!(transmute::<[__m256; 2], [f32; LANES]>(vector));
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        halves!(_mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        halves!(_mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        halves!(_mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        halves!(_mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        halves!(_mm256_fnmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        halves!(_mm256_max_ps(a, b))
    }

    #[inline(always)]
    fn where_positive(self, gate: Self::Vector, value: Self::Vector) -> Self::Vector {
        detected!({
            let half =
                |gate, value| _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(gate, _mm256_setzero_ps()), value);
            [half(gate[0], value[0]), half(gate[1], value[1])]
        })
    }

    #[inline(always)]
    fn where_equal(self, a: Self::Vector, b: Self::Vector, value: Self::Vector) -> Self::Vector {
        detected!({
            let half = |a, b, value| _mm256_and_ps(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b), value);
            [half(a[0], b[0], value[0]), half(a[1], b[1], value[1])]
        })
    }

    #[inline(always)]
    fn deinterleave2(self, row: [Self::Vector; 2]) -> [Self::Vector; 2] {
        Portable.deinterleave2(row.map(|half| self.to_array(half))).map(|column| self.load(&column))
    }

    #[inline(always)]
    fn interleave2(self, columns: [Self::Vector; 2]) -> [Self::Vector; 2] {
        Portable.interleave2(columns.map(|column| self.to_array(column))).map(|half| self.load(&half))
    }

    #[inline(always)]
    fn deinterleave4(self, rows: [Self::Vector; 4]) -> [Self::Vector; 4] {
        Portable.deinterleave4(rows.map(|row| self.to_array(row))).map(|column| self.load(&column))
    }

    #[inline(always)]
    fn interleave4(self, columns: [Self::Vector; 4]) -> [Self::Vector; 4] {
        Portable.interleave4(columns.map(|column| self.to_array(column))).map(|row| self.load(&row))
    }

    #[inline(always)]
    fn prefetch(self, values: &[f32], at: usize) {
        if let Some(value) = values.get(at) {
            detected!(_mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()));
        }
    }

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` proves both features.
        unsafe { compiled(self, kernel) }
    }
}

impl Avx2 {
    /// For shuffles through memory: what these cost is small beside the rest.
    #[inline(always)]
    fn to_array(self, vector: [__m256; 2]) -> [f32; LANES] {
        let mut array = [0.0; LANES];
        self.store(vector, &mut array);
        array
    }
}
