//! What an optimisation of one picture needs: settings and pictures, from what was typed.

mod check;
mod overlay;
mod pictures;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use common::exit_status::UsageError;
use common::gatys::{GatysInputs, GatysSettings};
use common::lossnet::{LossNet, LossNetShelf, Pooling};
use pixel::Format;
use tch::Device;
use trainer::gatys::{Preset, PresetSettings};

use crate::cli::{GatysArgs, SeeingArgs};

/// An optimisation that can start: what it names is there and makes sense together.
pub(crate) struct GatysPlan {
    pub(crate) settings: GatysSettings,
    pub(crate) inputs: GatysInputs,
    pub(crate) output: PathBuf,
    pub(crate) format: Format,
    pub(crate) seeing: SeeingArgs,
    pub(crate) device: Device,
    loss_net: PathBuf,
    pooling: Option<Pooling>,
}

impl GatysPlan {
    pub(crate) fn from_args(args: GatysArgs) -> anyhow::Result<Self> {
        let preset = match &args.preset {
            Some(name) => Preset::find(name).map_err(|error| UsageError(error.to_string()))?,
            None if args.inpaint.is_some() => Preset::find("inpaint")?,
            None if args.content.is_none() => Preset::find("texture")?,
            None => Preset::find("atelier")?,
        };
        let PresetSettings { loss_net, pooling, mut settings } = preset.settings();
        let device = args.machine.compute.set_up()?;
        overlay::lay_over(&mut settings, &args)?;
        check::check_settings(&settings)?;
        let output = args.output.clone().context("an output is needed")?;
        let format = Format::from_path(&output)?;
        check::check_output(&output, &args)?;
        let loss_net = LossNetShelf::standard().find(args.loss.loss_net.as_deref().unwrap_or(loss_net))?;
        let inputs = pictures::read(&args)?;
        if inputs.content.is_none() {
            // Without a photo there is nothing to keep.
            settings.loss.content_layers = common::loss::LayerWeights::default();
        }
        if settings.loss.layers().is_empty() {
            bail!(UsageError("--style-layers and --content-layers are both empty".to_owned()));
        }
        Ok(Self {
            settings,
            inputs,
            output,
            format,
            device,
            loss_net,
            pooling: args.loss.pooling.or(pooling),
            seeing: args.seeing,
        })
    }

    /// The loss network, as deep as it is looked into.
    pub(crate) fn load_network(&self) -> anyhow::Result<LossNet> {
        let network = LossNet::load(&self.loss_net, &self.settings.loss.layers(), self.device)?;
        Ok(match self.pooling {
            Some(pooling) => network.with_pooling(pooling),
            None => network,
        })
    }
}
