//! Products of features with themselves elsewhere: structure that is wider than the network's view.

use std::fmt;
use std::str::FromStr;

use tch::{Kind, Tensor};

/// By how many pixels of a layer features are moved, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shifts(Vec<i64>);

impl Default for Shifts {
    /// Steps that the layers themselves do not see, by powers of two.
    fn default() -> Self {
        Self(vec![4, 8, 16, 32])
    }
}

impl Shifts {
    /// These shifts; `None` if there are none, or one is not above 0.
    pub fn new(mut shifts: Vec<i64>) -> Option<Self> {
        shifts.sort_unstable();
        shifts.dedup();
        (!shifts.is_empty() && shifts[0] > 0).then_some(Self(shifts))
    }
}

impl fmt::Display for Shifts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifts: Vec<String> = self.0.iter().map(i64::to_string).collect();
        f.write_str(&shifts.join(":"))
    }
}

impl FromStr for Shifts {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let shifts: Result<Vec<i64>, _> = text.split(':').map(|shift| shift.trim().parse()).collect();
        shifts.ok().and_then(Self::new).ok_or(())
    }
}

/// `[n, shifts * 2, c, c]`: for each shift, along rows and along columns, `F(p) F(p + shift)ᵀ / (c · places)`, over the places where both
/// are in the picture. Shifts that are more than half of a side are left out; of a picture that is too small for all of
/// them, nothing is left.
pub(super) fn shifted_grams(features: &Tensor, guide: Option<&Tensor>, shifts: &Shifts) -> Tensor {
    let (n, c, h, w) = features.size4().expect("features have four dimensions");
    let guided = guide.map(|guide| features * guide);
    let features = guided.as_ref().unwrap_or(features);
    let mut grams = Vec::new();
    for &shift in shifts.0.iter().take_while(|&&shift| shift <= h.min(w) / 2) {
        for dimension in [3, 2] {
            let length = features.size()[dimension as usize] - shift;
            let here_and_there = |x: &Tensor| {
                [x.narrow(dimension, 0, length), x.narrow(dimension, shift, length)]
                    .map(|part| part.flatten(2, 3))
            };
            let [here, there] = here_and_there(features);
            let product = here.bmm(&there.transpose(1, 2)) / c as f64;
            grams.push(match guide {
                None => product / here.size()[2] as f64,
                Some(guide) => {
                    let [here, there] = here_and_there(guide);
                    product / (here * there).sum(Kind::Float).clamp_min(1.0)
                }
            });
        }
    }
    if grams.is_empty() {
        return features.new_zeros([n, 0, c, c], (features.kind(), features.device()));
    }
    Tensor::stack(&grams, 1)
}

/// `[n, c, c]`: `F(p) F(p')ᵀ / (c · places)`, where p' is p mirrored at the picture's vertical middle.
pub(super) fn mirrored_gram(features: &Tensor, guide: Option<&Tensor>) -> Tensor {
    let c = features.size()[1] as f64;
    let guided = guide.map(|guide| features * guide);
    let features = guided.as_ref().unwrap_or(features);
    let product = features.flatten(2, 3).bmm(&features.flip([3]).flatten(2, 3).transpose(1, 2)) / c;
    match guide {
        None => product / (features.size()[2] * features.size()[3]) as f64,
        Some(guide) => product / (guide * guide.flip([3])).sum(Kind::Float).clamp_min(1.0),
    }
}
