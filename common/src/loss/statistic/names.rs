//! Statistics as they are typed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Shifts, StyleStatistic};

/// Statistics, and how much each counts beside the others. Written as `gram,shifted-gram:4:8=0.5`; without a number a
/// statistic counts 1, without shifts it takes [`Shifts::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StyleStatistics(Vec<(StyleStatistic, f64)>);

/// Statistics that cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParseStatisticsError {
    /// There is no such statistic.
    #[error(
        "unknown style statistic `{0}`: expected gram, mean-std, gaussian-w2, shifted-gram, mirrored-gram, histogram or \
         sliced-wasserstein"
    )]
    Name(String),
    /// The shifts of `shifted-gram` are none.
    #[error("shifts `{0}`: expected whole numbers above 0 with colons between, as in shifted-gram:4:8:16")]
    Shifts(String),
    /// What follows the `=` is no weight.
    #[error("weight `{found}` of statistic {name}: expected a number above 0, as in {name}=0.5")]
    Weight {
        /// The statistic.
        name: String,
        /// What was found.
        found: String,
    },
    /// A statistic is named twice, or none is.
    #[error("style statistics `{0}`: expected one or several different ones with commas between")]
    Count(String),
}

impl StyleStatistics {
    /// One statistic.
    pub fn only(statistic: StyleStatistic) -> Self {
        Self(vec![(statistic, 1.0)])
    }

    /// The statistics with their weights.
    pub fn iter(&self) -> impl Iterator<Item = (&StyleStatistic, f64)> {
        self.0.iter().map(|(statistic, weight)| (statistic, *weight))
    }
}

impl Default for StyleStatistics {
    fn default() -> Self {
        Self::only(StyleStatistic::Gram)
    }
}

impl FromStr for StyleStatistics {
    type Err = ParseStatisticsError;

    fn from_str(text: &str) -> Result<Self, ParseStatisticsError> {
        let mut statistics: Vec<(StyleStatistic, f64)> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let statistic: StyleStatistic = name.trim().parse()?;
            let weight = match weight.trim().parse::<f64>() {
                Ok(weight) if weight > 0.0 && weight.is_finite() => weight,
                _ => {
                    let (name, found) = (name.to_owned(), weight.to_owned());
                    return Err(ParseStatisticsError::Weight { name, found });
                }
            };
            if statistics.iter().any(|(known, _)| *known == statistic) {
                return Err(ParseStatisticsError::Count(text.to_owned()));
            }
            statistics.push((statistic, weight));
        }
        if statistics.is_empty() {
            return Err(ParseStatisticsError::Count(text.to_owned()));
        }
        Ok(Self(statistics))
    }
}

impl FromStr for StyleStatistic {
    type Err = ParseStatisticsError;

    fn from_str(text: &str) -> Result<Self, ParseStatisticsError> {
        Ok(match text {
            "gram" => Self::Gram,
            "mean-std" => Self::MeanStd,
            "gaussian-w2" => Self::GaussianW2,
            "shifted-gram" => Self::ShiftedGram(Shifts::default()),
            "mirrored-gram" => Self::MirroredGram,
            "histogram" => Self::Histogram,
            "sliced-wasserstein" => Self::SlicedWasserstein,
            _ => match text.strip_prefix("shifted-gram:") {
                Some(shifts) => Self::ShiftedGram(
                    shifts.parse().map_err(|()| ParseStatisticsError::Shifts(shifts.to_owned()))?,
                ),
                None => return Err(ParseStatisticsError::Name(text.to_owned())),
            },
        })
    }
}

impl fmt::Display for StyleStatistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gram => f.write_str("gram"),
            Self::MeanStd => f.write_str("mean-std"),
            Self::GaussianW2 => f.write_str("gaussian-w2"),
            Self::ShiftedGram(shifts) if *shifts == Shifts::default() => f.write_str("shifted-gram"),
            Self::ShiftedGram(shifts) => write!(f, "shifted-gram:{shifts}"),
            Self::MirroredGram => f.write_str("mirrored-gram"),
            Self::Histogram => f.write_str("histogram"),
            Self::SlicedWasserstein => f.write_str("sliced-wasserstein"),
        }
    }
}

impl fmt::Display for StyleStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (statistic, weight)) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{statistic}")?;
            if weight != 1.0 {
                write!(f, "={weight}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for StyleStatistics {
    type Error = ParseStatisticsError;

    fn try_from(text: String) -> Result<Self, ParseStatisticsError> {
        text.parse()
    }
}

impl From<StyleStatistics> for String {
    fn from(statistics: StyleStatistics) -> Self {
        statistics.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_and_written_alike() {
        for text in ["gram", "gram,shifted-gram=0.5", "shifted-gram:2:64", "mean-std,histogram=2"] {
            let statistics: StyleStatistics = text.parse().unwrap();
            assert_eq!(statistics.to_string(), text);
        }
        for name in ["gaussian-w2", "mirrored-gram", "sliced-wasserstein"] {
            assert_eq!(name.parse::<StyleStatistic>().unwrap().to_string(), name);
        }
        let unordered: StyleStatistics = "shifted-gram:32:4:8:16:4".parse().unwrap();
        assert_eq!(unordered.to_string(), "shifted-gram", "the default's own");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "grams", "gram=0", "gram=x", "gram,gram=2", "shifted-gram:", "shifted-gram:0", "gram:4"]
        {
            assert!(text.parse::<StyleStatistics>().is_err(), "{text}");
        }
    }
}
