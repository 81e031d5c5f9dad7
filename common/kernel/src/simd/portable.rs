//! Plain arrays, for processors that have nothing better.

use std::array::from_fn;

use super::{Kernel, LANES, RegisterTile, Simd};

#[derive(Clone, Copy)]
pub(super) struct Portable;

type Vector = [f32; LANES];

impl Simd for Portable {
    type Vector = Vector;

    const TILE: RegisterTile = RegisterTile::Rows4Vectors1;

    #[inline(always)]
    fn splat(self, value: f32) -> Vector {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Vector {
        *from
    }

    #[inline(always)]
    fn store(self, vector: Vector, to: &mut [f32; LANES]) {
        *to = vector;
    }

    #[inline(always)]
    fn add(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn sub(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    fn mul(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| a[lane] * b[lane])
    }

    // In two roundings: without the instruction, one rounding would cost a call for each lane.
    #[inline(always)]
    fn mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        from_fn(|lane| a[lane] * b[lane] + c[lane])
    }

    #[inline(always)]
    fn neg_mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        from_fn(|lane| c[lane] - a[lane] * b[lane])
    }

    #[inline(always)]
    fn max(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    fn where_positive(self, gate: Vector, value: Vector) -> Vector {
        from_fn(|lane| if gate[lane] > 0.0 { value[lane] } else { 0.0 })
    }

    #[inline(always)]
    fn where_equal(self, a: Vector, b: Vector, value: Vector) -> Vector {
        from_fn(|lane| if a[lane] == b[lane] { value[lane] } else { 0.0 })
    }

    #[inline(always)]
    fn deinterleave2(self, row: [Vector; 2]) -> [Vector; 2] {
        from_fn(|column| from_fn(|lane| row[lane / 8][lane % 8 * 2 + column]))
    }

    #[inline(always)]
    fn interleave2(self, columns: [Vector; 2]) -> [Vector; 2] {
        from_fn(|half| from_fn(|lane| columns[lane % 2][8 * half + lane / 2]))
    }

    #[inline(always)]
    fn deinterleave4(self, rows: [Vector; 4]) -> [Vector; 4] {
        from_fn(|column| from_fn(|lane| rows[lane / 4][lane % 4 * 4 + column]))
    }

    #[inline(always)]
    fn interleave4(self, columns: [Vector; 4]) -> [Vector; 4] {
        from_fn(|row| from_fn(|lane| columns[lane % 4][4 * row + lane / 4]))
    }

    #[inline(always)]
    fn prefetch(self, _values: &[f32], _at: usize) {}

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
}
