//! `infer completions`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap_complete::env::Shells;

#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL", value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    pub(crate) shell: String,
}
