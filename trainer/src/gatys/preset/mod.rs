//! Settings by name: ours, and those of the systems that people come from.
//!
//! Formulas and numbers are theirs, in our terms: where a project sums what we average, the factor is in the layer's weight, and
//! sums that depend on the picture's size are [`Reduction::Sum`](common::loss::Reduction::Sum). What stays different is said at each.

mod others;
mod ours;
mod parts;

use common::gatys::GatysSettings;
use common::lossnet::Pooling;

/// Settings that have a name.
pub struct Preset {
    /// As it is typed.
    pub name: &'static str,
    /// Where it comes from.
    pub origin: &'static str,
    /// What it is, in a sentence or two.
    pub about: &'static str,
    settings: fn() -> PresetSettings,
}

/// What a preset says.
pub struct PresetSettings {
    /// The loss network, as `trainer fetch` calls it.
    pub loss_net: &'static str,
    /// How it halves; `None` for as its file says.
    pub pooling: Option<Pooling>,
    /// All else.
    pub settings: GatysSettings,
}

/// A preset's name that nothing is known by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown preset `{0}`: `trainer gatys --list-presets` lists those that there are")]
pub struct UnknownPreset(String);

impl Preset {
    /// All of them: ours first.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ours::PRESETS.iter().chain(others::PRESETS)
    }

    /// The preset of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<&'static Self, UnknownPreset> {
        Self::all().find(|preset| preset.name == name).ok_or_else(|| UnknownPreset(name.to_owned()))
    }

    /// What it says.
    pub fn settings(&self) -> PresetSettings {
        (self.settings)()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<&str> = Preset::all().map(|preset| preset.name).collect();
        assert_eq!(names.len(), Preset::all().count());
        for name in [
            "atelier",
            "gatys-2016",
            "neural-style-pt",
            "keras",
            "tf-vgg16-adam",
            "tf-noise-adam",
            "photoreal",
        ] {
            assert_eq!(Preset::find(name).unwrap().name, name);
        }
        assert!(Preset::find("none").is_err());
    }

    #[test]
    fn a_line_search_is_only_asked_for_where_there_is_a_loss_to_search() {
        use common::gatys::Optimizer;
        use common::optim::LineSearch;

        for preset in Preset::all() {
            let settings = preset.settings().settings;
            if let Optimizer::Lbfgs(lbfgs) = &settings.optimizer {
                let searches = lbfgs.line_search == LineSearch::StrongWolfe;
                assert!(!(searches && settings.loss.normalize_gradients), "{}", preset.name);
            }
        }
    }
}
