//! The pairs that L-BFGS remembers, and the quasi-Newton direction that they make of a gradient.
//!
//! The two-loop recursion (Nocedal and Wright 2006, algorithm 7.4) is worked out in its coefficients. Written out, its first
//! loop solves `R α = Sᵀg` and its second `Rᵀ δ = D α - γ Yᵀ(g - Yα)`, where the columns of S and Y are the steps s and the
//! changes of the gradient y, R is the upper triangle of `SᵀY` and D its diagonal; the result is `γ (g - Yα) + S δ` (the
//! compact form of Byrd, Nocedal and Schnabel 1994, theorem 2.2). Two reads of the history, for the products and for the
//! result, at the speed of memory, and two small triangular systems in f64: three times as fast as vector by vector.

use tch::{Device, Kind, Tensor};

/// A pair is kept where `s·y` is more than this part of `|s| |y|`: less is rounding, or the wrong way up.
const LEAST_CURVATURE: f64 = 1e-8;

pub(super) struct History {
    /// One step to a row, a ring, `[capacity, count]`.
    steps: Tensor,
    /// One change of the gradient to a row, likewise.
    changes: Tensor,
    /// `s_i · y_j`, for i not newer than j, `[capacity, capacity]`, f64, by rows of the ring.
    steps_by_changes: Tensor,
    /// `y_i · y_j`, likewise.
    changes_by_changes: Tensor,
    /// Pairs that are held.
    length: usize,
    /// The row of the ring that the next pair takes; once the ring is full, the oldest pair's.
    next: usize,
    /// `s·y / y·y` of the newest pair, the scale of the inverse Hessian.
    gamma: f64,
}

impl History {
    pub(super) fn new(capacity: usize, like: &Tensor) -> Self {
        let capacity = capacity as i64;
        let ring = || Tensor::empty([capacity, like.size()[0]], (Kind::Float, like.device()));
        let products = || Tensor::zeros([capacity, capacity], (Kind::Double, like.device()));
        Self {
            steps: ring(),
            changes: ring(),
            steps_by_changes: products(),
            changes_by_changes: products(),
            length: 0,
            next: 0,
            gamma: 1.0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn clear(&mut self) {
        (self.length, self.next) = (0, 0);
    }

    /// Remembers a step and the change of the gradient over it, both `[count]`, in place of the oldest pair if need be. Says
    /// whether it did: pairs without positive curvature are left out. Waits for the device.
    pub(super) fn push(&mut self, step: &Tensor, change: &Tensor) -> bool {
        let capacity = self.steps.size()[0] as usize;
        let products = Tensor::stack(&[step.dot(change), step.dot(step), change.dot(change)], 0);
        let products = Vec::<f64>::try_from(products.to_kind(Kind::Double)).expect("three products");
        let (curvature, lengths) = (products[0], products[1].sqrt() * products[2].sqrt());
        let is_useful = lengths.is_finite() && curvature > LEAST_CURVATURE * lengths;
        if capacity == 0 || !is_useful {
            return false;
        }
        let row = self.next as i64;
        self.steps.get(row).copy_(step);
        self.changes.get(row).copy_(change);
        self.gamma = curvature / products[2];
        self.next = (self.next + 1) % capacity;
        self.length = (self.length + 1).min(capacity);
        true
    }

    /// Minus the inverse Hessian times `gradient` `[count]`. Nothing is read back.
    ///
    /// # Panics
    /// If no pair is held.
    #[allow(clippy::many_single_char_names, reason = "the names above")]
    pub(super) fn direction(&mut self, gradient: &Tensor) -> Tensor {
        assert!(self.length > 0, "a direction wants a history");
        let (capacity, length) = (self.steps.size()[0], self.length as i64);
        let (steps, changes) = (self.steps.narrow(0, 0, length), self.changes.narrow(0, 0, length));
        let newest = (self.next as i64 - 1).rem_euclid(capacity);
        let factors = [&self.changes.get(newest), gradient];
        let [of_steps, of_changes] = [&steps, &changes].map(|rows| products(rows, factors));

        // Once after each push is enough, and again does no harm.
        let column = |products: &Tensor| products.narrow(0, 0, length).select(1, newest);
        column(&self.steps_by_changes).copy_(&of_steps.get(0));
        column(&self.changes_by_changes).copy_(&of_changes.get(0));
        self.changes_by_changes.get(newest).narrow(0, 0, length).copy_(&of_changes.get(0));

        // From the oldest to the newest; rows are in that order already until the ring is full.
        let oldest = if length == capacity { self.next as i64 } else { 0 };
        let in_time = |products: &Tensor| {
            products.narrow(0, 0, length).narrow(1, 0, length).roll([-oldest, -oldest], [0, 1])
        };
        let r = in_time(&self.steps_by_changes).triu(0);
        let yy = in_time(&self.changes_by_changes);
        let [s_g, y_g] = [of_steps, of_changes].map(|products| products.get(1).roll([-oldest], [0]));

        let alpha = solve(&r, &s_g, true);
        let y_q = y_g - yy.mv(&alpha);
        let delta = solve(&r.tr(), &(r.diagonal(0, 0, 1) * &alpha - y_q * self.gamma), false);

        let by_row = |coefficients: &Tensor| coefficients.roll([oldest], [0]).to_kind(Kind::Float);
        let mut direction = gradient * -self.gamma;
        let _ = direction.addmv_(&changes.tr(), &by_row(&(alpha * self.gamma)));
        let _ = direction.addmv_(&steps.tr(), &by_row(&-delta));
        direction
    }
}

/// The products of each of `rows` `[length, count]` with two vectors, `[2, length]`, f64.
fn products(rows: &Tensor, vectors: [&Tensor; 2]) -> Tensor {
    let products = if rows.device() == Device::Cpu {
        // One read of the rows for both.
        Tensor::stack(&vectors, 0).matmul(&rows.tr())
    } else {
        // Products of matrices may be allowed to round to TF32 (`Precision::set_up`), those of a matrix and a vector do not.
        Tensor::stack(&vectors.map(|vector| rows.mv(vector)), 0)
    };
    products.to_kind(Kind::Double)
}

/// Solves a triangular system.
fn solve(triangle: &Tensor, right: &Tensor, is_upper: bool) -> Tensor {
    triangle.linalg_solve_triangular(&right.unsqueeze(1), is_upper, true, false).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::noise::gaussian;

    /// Algorithm 7.4 vector by vector, in f64.
    fn two_loops(pairs: &VecDeque<(Tensor, Tensor)>, gradient: &Tensor) -> Tensor {
        let pairs: Vec<_> =
            pairs.iter().map(|(s, y)| (s.to_kind(Kind::Double), y.to_kind(Kind::Double))).collect();
        let dot = |a: &Tensor, b: &Tensor| a.dot(b).double_value(&[]);
        let mut q = gradient.to_kind(Kind::Double);
        let mut alphas = Vec::new();
        for (s, y) in pairs.iter().rev() {
            let alpha = dot(s, &q) / dot(s, y);
            q -= y * alpha;
            alphas.push(alpha);
        }
        let (s, y) = pairs.last().unwrap();
        let mut r = q * (dot(s, y) / dot(y, y));
        for ((s, y), alpha) in pairs.iter().zip(alphas.iter().rev()) {
            r += s * (alpha - dot(y, &r) / dot(s, y));
        }
        -r
    }

    #[test]
    fn it_is_the_two_loop_recursion_while_the_ring_fills_and_turns() {
        let mut seeds = 7..;
        let mut random = || gaussian(&[400], seeds.next().unwrap());
        let curvatures = random().abs() + 0.1;
        let (mut history, mut pairs) = (History::new(5, &curvatures), VecDeque::new());
        for turn in 0..13 {
            let step = random();
            let change = &step * &curvatures + random() * 0.01;
            assert!(history.push(&step, &change));
            pairs.push_back((step, change));
            if pairs.len() > 5 {
                pairs.pop_front();
            }
            // Twice: a direction may be asked for again where a pair was left out.
            for _ in 0..2 {
                let gradient = random();
                let expected = two_loops(&pairs, &gradient);
                let error = (history.direction(&gradient) - &expected).norm() / expected.norm();
                assert!(error.double_value(&[]) < 1e-5, "pair {turn}: {error:?}");
            }
        }
        history.clear();
        assert!(history.is_empty());
        let (step, gradient) = (random(), random());
        assert!(history.push(&step, &(&step * 2.0)));
        let error = (history.direction(&gradient) + &gradient * 0.5).norm() / gradient.norm();
        assert!(error.double_value(&[]) < 1e-5, "nothing of what came before is left: {error:?}");
    }

    #[test]
    fn pairs_without_curvature_are_left_out() {
        let step = Tensor::from_slice(&[1.0f32, 2.0]);
        let mut history = History::new(3, &step);
        for change in [[-1.0f32, 0.0], [2.0, -1.0], [0.0, 0.0], [f32::NAN, 1.0]] {
            assert!(!history.push(&step, &Tensor::from_slice(&change)), "{change:?}");
        }
        assert!(history.is_empty());
        assert!(!History::new(0, &step).push(&step, &step), "nowhere to keep it");
    }
}
