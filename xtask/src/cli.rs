//! The command line: which chores there are and what each is given.

use std::fs;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::collection::{gallery, retrain};
use crate::{check, demo, golden, libtorch, sample, test, torture_folder, workspace};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Set-up and chores of Atelier", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Make sure that libtorch is there, fetching it where it is not
    Libtorch(libtorch::Options),
    /// Build `infer` and repaint the sample picture with a style that ships
    Demo(demo::Options),
    /// Run all tests of the workspace
    Test(test::Options),
    /// Everything that must hold before a change goes in, cheapest first
    Check,
    /// Make the PyTorch golden files anew
    Golden(golden::Options),
    /// Draw the sample pictures anew: the valley and the cottage of checkpoints/samples
    Sample,
    /// Paint the sample pictures in every style that ships, and write checkpoints/README.md's gallery
    Gallery,
    /// Train the styles that ship again, each by its own card; called again, it goes on where it was
    Collection(retrain::Options),
    /// Make the folder of odd and broken pictures that the tests read and paint, and say what each is
    Torture(torture_folder::Options),
}

impl Cli {
    pub(crate) fn run(self) -> Result<()> {
        match self.chore {
            Chore::Libtorch(options) => libtorch::ensure(&options).map(drop),
            Chore::Demo(options) => demo::run(&options),
            Chore::Test(options) => test::run(&options),
            Chore::Check => check::run(),
            Chore::Golden(options) => golden::run(&options),
            Chore::Sample => draw_samples(),
            Chore::Gallery => gallery::run(),
            Chore::Collection(options) => retrain::run(&options),
            Chore::Torture(options) => torture_folder::run(&options),
        }
    }
}

fn draw_samples() -> Result<()> {
    let folder = workspace::root().join(workspace::SAMPLES);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for view in &sample::VIEWS {
        println!("{}", sample::run(view, &folder)?.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn words_after_the_dashes_go_on_to_cargo_test() {
        let cli = Cli::parse_from(["xtask", "test", "--", "--release", "--", "--nocapture"]);
        let Chore::Test(options) = cli.chore else { panic!("not the test chore") };
        assert_eq!(options.extra, ["--release", "--", "--nocapture"]);
    }
}
