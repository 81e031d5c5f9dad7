//! Axes: from values to places, and where the ticks go.

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// Equal differences are equal lengths.
    Linear,
    /// Equal ratios are equal lengths; values must be above 0.
    Logarithmic,
}

/// An axis over a range of values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    spread: Spread,
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis that holds all these values. Values that have no place on a
    /// logarithmic axis are passed over; `None` if none is left.
    pub(super) fn over(values: impl Iterator<Item = f64>, spread: Spread) -> Option<Self> {
        let has_place = |value: &f64| value.is_finite() && (spread == Spread::Linear || *value > 0.0);
        let (low, high) = values
            .filter(has_place)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let (low, high) = match spread {
            Spread::Linear if low == high && low == 0.0 => (0.0, 1.0),
            Spread::Linear if low == high => (low.min(0.0), high.max(0.0)),
            Spread::Linear => (low, high),
            // Some air, and a range that is not empty.
            Spread::Logarithmic => (low / 1.15, high * 1.15),
        };
        Some(Self { spread, low, high })
    }

    /// The same axis with 0 on it.
    pub(super) fn with_zero(self) -> Self {
        Self { low: self.low.min(0.0), high: self.high.max(0.0), ..self }
    }

    /// The same linear axis, ending on the tick after its greatest value; `most` as for [`Self::ticks`].
    pub(super) fn with_end_on_tick(self, most: usize) -> Self {
        let spacing = linear_spacing(self.low, self.high, most);
        Self { high: (self.high / spacing - 1e-9).ceil() * spacing, ..self }
    }

    /// Where a value lies between the ends, 0 to 1; `None` if it has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.spread {
            Spread::Linear => (value - self.low) / (self.high - self.low),
            Spread::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        place.is_finite().then_some(place)
    }

    /// Round values within the range, at most `most` of them (but two at least are tried for).
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        match self.spread {
            Spread::Linear => linear_ticks(self.low, self.high, most),
            Spread::Logarithmic => logarithmic_ticks(self.low, self.high, most),
        }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let spacing = linear_spacing(low, high, most);
    let (first, last) = ((low / spacing - 1e-9).ceil() as i64, (high / spacing + 1e-9).floor() as i64);
    (first..=last).map(|multiple| multiple as f64 * spacing).collect()
}

fn linear_spacing(low: f64, high: f64, most: usize) -> f64 {
    let least = (high - low) / most as f64;
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|&it| it >= least).unwrap_or(10.0 * power)
}

/// Powers of ten; with 2 and 5 between them where the range is short, or only some of them where it is long. Where
/// even so there would be no two, linear ticks.
fn logarithmic_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let inside = |factors: &[f64]| -> Vec<f64> {
        powers
            .clone()
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .filter(|value| (low..=high).contains(value))
            .collect()
    };
    let candidates = [inside(&[1.0, 2.0, 5.0]), inside(&[1.0, 3.0]), inside(&[1.0])];
    if let Some(ticks) = candidates.iter().find(|ticks| (2..=most).contains(&ticks.len())) {
        return ticks.clone();
    }
    let [_, _, decades] = candidates;
    if decades.len() > most {
        let every = decades.len().div_ceil(most);
        return decades.into_iter().step_by(every).collect();
    }
    linear_ticks(low, high, most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(linear_ticks(0.0, 2000.0, 5), [0.0, 500.0, 1000.0, 1500.0, 2000.0]);
        assert_eq!(logarithmic_ticks(0.9, 1200.0, 5), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(logarithmic_ticks(15.0, 120.0, 5), [20.0, 50.0, 100.0]);
        // Too short for powers of ten, and 0.25 is exact.
        assert_eq!(logarithmic_ticks(2.25, 4.75, 5), [2.5, 3.0, 3.5, 4.0, 4.5]);
    }

    #[test]
    fn a_linear_axis_can_end_on_a_tick() {
        let axis = Axis::over([0.0, 0.0057].into_iter(), Spread::Linear).unwrap().with_end_on_tick(5);
        assert_eq!(axis.ticks(5).last(), Some(&0.006));
        assert!((axis.place(0.006).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(axis.clone().with_end_on_tick(5), axis);
    }

    #[test]
    fn an_axis_of_nothing_is_none() {
        assert_eq!(Axis::over(std::iter::empty(), Spread::Linear), None);
        assert_eq!(Axis::over([0.0, -1.0, f64::NAN].into_iter(), Spread::Logarithmic), None);
    }

    proptest! {
        #[test]
        fn values_and_ticks_lie_on_the_axis(
            values in proptest::collection::vec(1e-6..1e9f64, 1..20), is_log: bool, most in 3usize..9,
        ) {
            let spread = if is_log { Spread::Logarithmic } else { Spread::Linear };
            let axis = Axis::over(values.iter().copied(), spread).unwrap();
            for value in values.iter().copied().chain(axis.ticks(most)) {
                let place = axis.place(value).unwrap();
                prop_assert!((-1e-6..=1.0 + 1e-6).contains(&place), "{value} at {place}");
            }
            let ticks = axis.ticks(most);
            prop_assert!(ticks.len() <= most + 1, "{ticks:?}");
            prop_assert!(ticks.is_sorted());
        }
    }
}
