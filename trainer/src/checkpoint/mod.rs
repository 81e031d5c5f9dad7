//! Checkpoints: everything that a run needs to go on as if it had never stopped, in one file.

mod policy;

use std::path::{Path, PathBuf};

use common::loss::LossValues;
use common::optim::AdamState;
use common::tensor_file::{self, ExpectedTensor, StoredAs, TensorFile, TensorFileError};
use datasets::{KnownSkip, StreamPosition};
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

pub(crate) use policy::CheckpointPolicy;

use crate::recipe::Recipe;
use crate::run_folder::{RunFolder, RunFolderError};

/// The version of the checkpoint file that this software writes, and the only one that it reads.
const FORMAT_VERSION: u32 = 1;

const METADATA_KEY: &str = "atelier-checkpoint";

/// Everything that a run needs to go on. All randomness comes from the recipe's seed and the place in the stream, so
/// that there is no generator to save.
pub struct Checkpoint {
    /// The parameters, `[count]`.
    pub parameters: Tensor,
    /// What the optimiser remembers.
    pub adam: AdamState,
    /// The moving average of the parameters, `[count]`, if the recipe has one.
    pub average: Option<Tensor>,
    /// Where the run stands.
    pub progress: Progress,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Steps taken.
    pub step: u64,
    /// The place in the stream of photos.
    pub epoch: u64,
    /// The place in that epoch.
    pub index: u64,
    /// Seconds spent on the steps.
    pub seconds: f64,
    /// The losses of the validation photos themselves, unpainted, once they were taken.
    pub validation_of_photos: Option<LossValues>,
    /// Those of the last validation.
    pub last_validation: Option<LossValues>,
    /// The best validation so far.
    pub best: Option<BestValidation>,
    /// Validations since then.
    pub validations_since_best: u32,
    /// Photos that could not be used.
    pub skipped: Vec<KnownSkip>,
}

/// The best validation of a run: that of the lowest total loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestValidation {
    /// After which step.
    pub step: u64,
    /// The mean losses of the validation photos.
    pub losses: LossValues,
}

/// The metadata of a checkpoint file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format_version: u32,
    recipe: Recipe,
    inputs: InputsFingerprint,
    adam_steps: i64,
    progress: Progress,
}

/// What a run works on, for telling whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputsFingerprint {
    /// SHA-256 of the names of all photos.
    pub photos_sha256: String,
    /// SHA-256 of each painting's file.
    pub paintings_sha256: Vec<String>,
}

/// Why a checkpoint cannot be written or gone on from.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("checkpoint: {0}")]
    File(TensorFileError),
    /// It is no checkpoint.
    #[error("not a checkpoint of this version of the software: {reason}: {}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder of checkpoints cannot be read.
    #[error(transparent)]
    RunFolder(#[from] RunFolderError),
    /// The run was about something else.
    #[error(
        "the run cannot be continued exactly, since {what} changed after the checkpoint; undo that, or start a new run \
         with --from: {}", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        what: String,
    },
}

impl From<TensorFileError> for CheckpointError {
    fn from(error: TensorFileError) -> Self {
        Self::File(error)
    }
}

impl Progress {
    /// The start of a run.
    pub fn start() -> Self {
        Self {
            step: 0,
            epoch: 0,
            index: 0,
            seconds: 0.0,
            validation_of_photos: None,
            last_validation: None,
            best: None,
            validations_since_best: 0,
            skipped: Vec::new(),
        }
    }

    /// The place in the stream of photos.
    pub fn position(&self) -> StreamPosition {
        StreamPosition { epoch: self.epoch, index: self.index }
    }
}

impl Checkpoint {
    /// Writes the checkpoint, at once or not at all.
    ///
    /// # Errors
    /// The file cannot be written; what was there before is untouched.
    pub fn write(
        &self,
        path: &Path,
        recipe: &Recipe,
        inputs: &InputsFingerprint,
    ) -> Result<(), CheckpointError> {
        let header = Header {
            format_version: FORMAT_VERSION,
            recipe: recipe.clone(),
            inputs: inputs.clone(),
            adam_steps: self.adam.steps,
            progress: self.progress.clone(),
        };
        let json =
            serde_json::to_string(&header).expect("a checkpoint's header holds nothing that JSON cannot");
        let mut tensors = vec![
            ("parameters".to_owned(), self.parameters.detach()),
            ("adam.first_moment".to_owned(), self.adam.first_moment.detach()),
            ("adam.second_moment".to_owned(), self.adam.second_moment.detach()),
        ];
        tensors.extend(self.average.iter().map(|average| ("average".to_owned(), average.detach())));
        Ok(tensor_file::write(path, &tensors, (METADATA_KEY, json), StoredAs::F32)?)
    }

    /// The newest checkpoint in a run folder that can be read, and what is wrong with newer ones. `None` where there is
    /// none at all.
    ///
    /// # Errors
    /// None of them can be read, or they are of another recipe or other inputs.
    pub fn newest(
        run: &RunFolder,
        recipe: &Recipe,
        inputs: &InputsFingerprint,
        device: Device,
    ) -> Result<Option<(Self, Vec<CheckpointError>)>, CheckpointError> {
        let mut broken = Vec::new();
        for step in run.checkpoint_steps()?.into_iter().rev() {
            match Self::read(&run.checkpoint_file(step), recipe, inputs, device) {
                Ok(checkpoint) => return Ok(Some((checkpoint, broken))),
                Err(error @ CheckpointError::Changed { .. }) => return Err(error),
                Err(error) => broken.push(error),
            }
        }
        broken.into_iter().next().map_or(Ok(None), Err)
    }

    /// Reads a checkpoint of a run with this recipe and these inputs. The number of steps may have been changed.
    ///
    /// # Errors
    /// The file cannot be read, is no checkpoint, or one of another recipe or other inputs.
    pub fn read(
        path: &Path,
        recipe: &Recipe,
        inputs: &InputsFingerprint,
        device: Device,
    ) -> Result<Self, CheckpointError> {
        let file = TensorFile::open(path)?;
        let header = header_of(&file)?;
        let changed = |what: String| CheckpointError::Changed { path: path.to_owned(), what };
        if let Some(key) = first_difference(&header.recipe, recipe) {
            return Err(changed(format!("`{key}` of the recipe")));
        }
        if header.inputs.paintings_sha256 != inputs.paintings_sha256 {
            return Err(changed("the painting".to_owned()));
        }
        if header.inputs.photos_sha256 != inputs.photos_sha256 {
            return Err(changed("the list of photos".to_owned()));
        }

        let count = common::net::Parameters::count(&recipe.net);
        let mut names = vec!["parameters", "adam.first_moment", "adam.second_moment"];
        names.extend(recipe.ema_decay.map(|_| "average"));
        let expected: Vec<ExpectedTensor> =
            names.into_iter().map(|name| (name.to_owned(), vec![count])).collect();
        let mut tensors = file.load(&expected, |_| false, device)?;
        let mut take = |name: &str| tensors.remove(name);
        let loaded = "every expected tensor was loaded";
        Ok(Self {
            parameters: take("parameters").expect(loaded),
            adam: AdamState {
                steps: header.adam_steps,
                first_moment: take("adam.first_moment").expect(loaded),
                second_moment: take("adam.second_moment").expect(loaded),
            },
            average: take("average"),
            progress: header.progress,
        })
    }
}

fn header_of(file: &TensorFile) -> Result<Header, CheckpointError> {
    let malformed = |reason: String| CheckpointError::Malformed { path: file.path().to_owned(), reason };
    let json = file.metadata(METADATA_KEY).ok_or_else(|| malformed(format!("no `{METADATA_KEY}` in it")))?;
    let header: Header = serde_json::from_str(json).map_err(|error| malformed(error.to_string()))?;
    if header.format_version != FORMAT_VERSION {
        return Err(malformed(format!("format {}, expected {FORMAT_VERSION}", header.format_version)));
    }
    Ok(header)
}

/// The first key, other than the number of steps, in which two recipes differ.
fn first_difference(a: &Recipe, b: &Recipe) -> Option<String> {
    let json = |recipe: &Recipe| {
        serde_json::to_value(Recipe { steps: 0, ..recipe.clone() })
            .expect("a recipe holds nothing that JSON cannot")
    };
    let (a, b) = (json(a), json(b));
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    };
    keys(&a).into_iter().chain(keys(&b)).find(|key| a.get(key) != b.get(key))
}

#[cfg(test)]
mod tests {
    use common::net::{NetConfig, Parameters};

    use super::*;

    fn recipe() -> Recipe {
        let net = NetConfig { width: 2, residual_blocks: 1, ..NetConfig::default() };
        Recipe { net, ema_decay: Some(0.9), ..Recipe::default() }
    }

    fn inputs() -> InputsFingerprint {
        InputsFingerprint { photos_sha256: "p".to_owned(), paintings_sha256: vec!["q".to_owned()] }
    }

    fn checkpoint() -> Checkpoint {
        let count = Parameters::count(&recipe().net);
        let numbers = || Tensor::randn([count], tch::kind::FLOAT_CPU);
        Checkpoint {
            parameters: numbers(),
            adam: AdamState { steps: 7, first_moment: numbers(), second_moment: numbers() },
            average: Some(numbers()),
            progress: Progress {
                step: 7,
                epoch: 1,
                index: 2,
                seconds: 0.1,
                validation_of_photos: Some(LossValues::default()),
                last_validation: Some(LossValues { style: 0.1, ..LossValues::default() }),
                best: Some(BestValidation {
                    step: 5,
                    losses: LossValues { total: 0.1 + 0.2, ..LossValues::default() },
                }),
                validations_since_best: 1,
                skipped: vec![KnownSkip { photo: "a.jpg".to_owned(), reason: "cut".to_owned() }],
            },
        }
    }

    #[test]
    fn a_checkpoint_survives_its_file_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let written = checkpoint();
        written.write(&path, &recipe(), &inputs()).unwrap();
        let more_steps = Recipe { steps: 9999, ..recipe() };
        let read = Checkpoint::read(&path, &more_steps, &inputs(), Device::Cpu).unwrap();
        assert_eq!(read.progress, written.progress);
        assert_eq!(read.adam.steps, 7);
        for (read, written) in [
            (&read.parameters, &written.parameters),
            (&read.adam.first_moment, &written.adam.first_moment),
            (&read.adam.second_moment, &written.adam.second_moment),
            (read.average.as_ref().unwrap(), written.average.as_ref().unwrap()),
        ] {
            assert!(read.equal(written));
        }
    }

    #[test]
    fn a_checkpoint_of_another_run_is_refused_with_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        checkpoint().write(&path, &recipe(), &inputs()).unwrap();
        let error = |recipe: &Recipe, inputs: &InputsFingerprint| {
            Checkpoint::read(&path, recipe, inputs, Device::Cpu).err().unwrap().to_string()
        };
        assert!(error(&Recipe { seed: 5, ..recipe() }, &inputs()).contains("`seed`"));
        assert!(error(&Recipe { clip_norm: Some(1.0), ..recipe() }, &inputs()).contains("`clip_norm`"));
        let other_photos = InputsFingerprint { photos_sha256: "x".to_owned(), ..inputs() };
        assert!(error(&recipe(), &other_photos).contains("photos"));
        let other_painting = InputsFingerprint { paintings_sha256: vec![], ..inputs() };
        assert!(error(&recipe(), &other_painting).contains("painting"));
    }
}
