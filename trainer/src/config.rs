//! The configuration of a run: everything that can be said about it, as one TOML file.
//!
//! The file in a run folder is complete and can be handed back. A file written by hand may say as little as it likes:
//! what it leaves out is taken from the named recipe below it. A key that nothing is known by is an error.

use std::path::{Path, PathBuf};

use common::tensor_file::StoredAs;
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Table, Value};

use crate::device_room::ResidentRoom;
use crate::recipe::{NamedRecipe, Recipe};

/// The configuration of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The style's name; without it, that of the first painting's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where everything comes from.
    pub inputs: Inputs,
    /// What the style file says of the painting.
    #[serde(default)]
    pub card: CardText,
    /// How the run goes, without any influence on what is learnt.
    pub run: RunSettings,
    /// What is learnt.
    pub recipe: Recipe,
}

/// Where everything comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Folder of photos to learn on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// Folder of other photos to judge by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_data: Option<PathBuf>,
    /// The loss network, a name or a file.
    pub loss_net: String,
    /// The style whose network is gone on from, instead of a fresh one; of several, the mean of their networks.
    #[serde(default, deserialize_with = "one_or_several", skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<NetworkInput>,
    /// The paintings to learn from.
    #[serde(default)]
    pub paintings: Vec<PaintingInput>,
}

/// A network to go on from, written `STYLE` or `STYLE=WEIGHT`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct NetworkInput {
    /// The style that has it, a name or a file.
    pub style: String,
    /// How much it counts beside the others.
    pub weight: f64,
}

impl From<String> for NetworkInput {
    fn from(text: String) -> Self {
        let weighted = text.rsplit_once('=').and_then(|(style, weight)| Some((style, weight.parse().ok()?)));
        match weighted {
            Some((style, weight)) => Self { style: style.to_owned(), weight },
            None => Self { style: text, weight: 1.0 },
        }
    }
}

impl From<NetworkInput> for String {
    fn from(NetworkInput { style, weight }: NetworkInput) -> Self {
        // Also where the style's own name would be taken for one with a weight.
        if weight == 1.0 && !style.contains('=') { style } else { format!("{style}={weight}") }
    }
}

/// A painting to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaintingInput {
    /// The picture.
    pub file: PathBuf,
    /// How much it counts beside the others.
    #[serde(default = "one")]
    pub weight: f64,
    /// The part to look at, `[x, y, width, height]` in pixels; without it, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop_px: Option<[u32; 4]>,
}

/// What the style file says of the painting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardText {
    /// The painting's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who painted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<String>,
    /// The terms of the picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

/// How a run goes, without any influence on what is learnt (but for early stopping, which ends it).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// Steps between two reports of the losses.
    pub log_every: u64,
    /// Steps between two preview sheets; 0 for none.
    pub preview_every: u64,
    /// Steps between two validations; 0 for one at the end.
    pub validate_every: u64,
    /// Validations in a row without a lower loss after which the run ends; without it, it takes all its steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u32>,
    /// Steps between two checkpoints; 0 to go by the clock alone.
    pub checkpoint_every: u64,
    /// Minutes between two checkpoints; 0 to go by the steps alone.
    pub checkpoint_minutes: f64,
    /// How many checkpoints are kept, apart from the best.
    pub keep_checkpoints: usize,
    /// Number format of the style file.
    pub store: StoredAs,
    /// Memory of the device for decoded photos: gigabytes, `auto` or `off`. A recipe that reduces photos first can use it;
    /// when a run starts, gigabytes make it one, and `auto` does where all photos fit.
    pub resident_gb: ResidentRoom,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            log_every: 10,
            preview_every: 100,
            validate_every: 0,
            patience: None,
            checkpoint_every: 200,
            checkpoint_minutes: 10.0,
            keep_checkpoints: 2,
            store: StoredAs::F16,
            resident_gb: ResidentRoom::Auto,
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration: {cause}: {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The file says something that is not understood.
    #[error("the configuration is not understood: {reason}: {}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What, in one line.
        reason: String,
    },
}

impl Config {
    /// The configuration of a named recipe, without any paths.
    pub fn of_recipe(named: NamedRecipe) -> Self {
        Self {
            name: None,
            inputs: Inputs { loss_net: named.loss_net().to_owned(), ..Inputs::default() },
            card: CardText::default(),
            run: RunSettings::default(),
            recipe: named.recipe(),
        }
    }

    /// What the file at `path` says, and where it says nothing, what the named recipe says.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or has keys or values that are not known.
    pub fn read(path: &Path, named: NamedRecipe) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?;
        Self::parse(&text, named).map_err(|reason| ConfigError::Malformed { path: path.to_owned(), reason })
    }

    /// The recipe of a style that was trained before, as its card has it, without any paths; where it went on from another
    /// style, so does this.
    ///
    /// # Errors
    /// In one line, what is not understood; a card without a recipe is of a network that was not trained here.
    pub fn of_card_recipe(recipe: &serde_json::Value) -> Result<Self, String> {
        if recipe.is_null() {
            return Err("its card has no recipe".to_owned());
        }
        let recipe = as_toml(recipe.clone()).ok_or("its recipe is no table")?;
        let text = Table::from_iter([("recipe".to_owned(), recipe)]).to_string();
        let mut config = Self::parse(&text, NamedRecipe::Atelier)?;
        config.inputs.from = config.recipe.from.clone().map(NetworkInput::from).into_iter().collect();
        Ok(config)
    }

    fn parse(text: &str, named: NamedRecipe) -> Result<Self, String> {
        let given: Table = text.parse().map_err(|error: toml::de::Error| in_one_line(&error, text))?;
        let mut whole = Table::try_from(Self::of_recipe(named)).expect("a configuration is a table");
        lay_over(&mut whole, given);
        // Spelled out and read again, so that an error has a key and a value to show.
        let merged = whole.to_string();
        toml::from_str(&merged).map_err(|error| in_one_line(&error, &merged))
    }

    /// The whole configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration holds nothing that TOML cannot")
    }
}

/// What TOML can say of it; what is null is left out.
fn as_toml(value: serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::Object(entries) => {
            let entries = entries.into_iter().filter_map(|(key, value)| Some((key, as_toml(value)?)));
            Some(Value::Table(entries.collect()))
        }
        serde_json::Value::Array(values) => {
            Some(Value::Array(values.into_iter().filter_map(as_toml).collect()))
        }
        other => Value::try_from(other).ok(),
    }
}

/// Puts the values of `over` into `base`, table by table.
fn lay_over(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => lay_over(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// The error and the line it is about, without the drawing of the place.
fn in_one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', ", ");
    match error.span().and_then(|span| text[..span.start.min(text.len())].lines().next_back().map(|_| span)) {
        Some(span) => {
            let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
            let line = text[start..].lines().next().unwrap_or_default().trim();
            format!("{message} at `{line}`")
        }
        None => message,
    }
}

/// `"a"` or `["a=0.7", "b=0.3"]`.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NetworkInput>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a style, or a list of styles")]
    enum OneOrSeveral {
        One(NetworkInput),
        Several(Vec<NetworkInput>),
    }
    Ok(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(network) => vec![network],
        OneOrSeveral::Several(networks) => networks,
    })
}

fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {

    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, NamedRecipe::Atelier)
    }

    #[test]
    fn a_whole_configuration_can_be_handed_back() {
        for named in NamedRecipe::ALL {
            let mut config = Config::of_recipe(named);
            config.name = Some("test".to_owned());
            config.inputs.data = Some("photos".into());
            config.inputs.paintings =
                vec![PaintingInput { file: "a b.jpg".into(), weight: 0.5, crop_px: Some([1, 2, 3, 4]) }];
            config.inputs.from = ["a", "b/c=d.safetensors=0.3"].map(|text| text.to_owned().into()).to_vec();
            config.recipe.ema_decay = Some(0.999);
            // Whatever lies below it.
            assert_eq!(Config::parse(&config.to_toml(), NamedRecipe::Jcjohnson).unwrap(), config, "{named}");
        }
    }

    #[test]
    fn a_card_holds_its_recipe() {
        for named in NamedRecipe::ALL {
            let mut recipe = named.recipe();
            recipe.steps = 77;
            recipe.from = Some("another".to_owned());
            let mut in_card = serde_json::to_value(&recipe).unwrap();
            let config = Config::of_card_recipe(&in_card).unwrap();
            let from = vec![NetworkInput { style: "another".to_owned(), weight: 1.0 }];
            assert_eq!((config.recipe, config.inputs.from), (recipe, from), "{named}");
            in_card["stepps"] = 3.into();
            assert!(Config::of_card_recipe(&in_card).unwrap_err().contains("stepps"));
        }
        assert!(Config::of_card_recipe(&serde_json::Value::Null).unwrap_err().contains("no recipe"));
    }

    #[test]
    fn networks_are_read_and_written_alike() {
        let network = |style: &str, weight| NetworkInput { style: style.to_owned(), weight };
        for (text, expected) in [
            ("wave", network("wave", 1.0)),
            ("wave=0.25", network("wave", 0.25)),
            ("runs/lr=3/a.safetensors", network("runs/lr=3/a.safetensors", 1.0)),
            ("runs/lr=3=2", network("runs/lr=3", 2.0)),
        ] {
            assert_eq!(NetworkInput::from(text.to_owned()), expected);
            assert_eq!(NetworkInput::from(String::from(expected.clone())), expected);
            // A list of one may be left out.
            let written = format!("[inputs]\nfrom = '{text}'\n");
            assert_eq!(parse(&written).unwrap().inputs.from, [expected]);
        }
        assert!(parse("[inputs]\nfrom = 3\n").unwrap_err().contains("a list of styles"));
    }

    #[test]
    fn a_few_words_are_enough() {
        let config = parse("[recipe]\nsteps = 7\n[recipe.loss]\ncontent_layers = 'relu3_3=2'\n").unwrap();
        let mut expected = Config::of_recipe(NamedRecipe::Atelier);
        expected.recipe.steps = 7;
        expected.recipe.loss.content_layers = "relu3_3=2".parse().unwrap();
        assert_eq!(config, expected);
        assert_eq!(parse("").unwrap(), Config::of_recipe(NamedRecipe::Atelier));
    }

    #[test]
    fn what_is_not_known_is_refused_and_shown() {
        for (text, words) in [
            ("[recipe]\nstep = 7\n", ["unknown field", "step = 7"]),
            ("[recipe]\nsteps = -1\n", ["steps = -1", "u64"]),
            ("[recipe.loss]\ncontent_layers = 'relu9_1'\n", ["relu9_1", "content_layers"]),
            ("[run]\nlog_every = 'often'\n", ["log_every", "often"]),
            ("steps: 7", ["steps: 7", "expected"]),
        ] {
            let error = parse(text).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
