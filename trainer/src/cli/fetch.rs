//! `trainer fetch`.

use clap::Args;

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct FetchArgs {
    /// vgg19, vgg16, vgg19-torchvision, vgg16-torchvision, resnet50-torchvision or inception_v3-torchvision; without it, all
    /// are listed.
    pub(crate) name: Option<String>,
    /// List the loss networks, and which of them are here.
    #[arg(long)]
    pub(crate) list: bool,
    /// Take the weights from here instead: an address, or a file that is already on this computer, .pth or .safetensors.
    #[arg(long, value_name = "URL|FILE", requires = "name")]
    pub(crate) source: Option<String>,
    /// The sha256 of that source, which is then checked.
    #[arg(long, value_name = "HEX", requires = "source", value_parser = sha256)]
    pub(crate) sha256: Option<String>,
    /// Also take what cannot be checked, since no sha256 is known. Lets the convolutions alone be fetched where that is
    /// possible, of VGG 60 to 80 MB instead of 550.
    #[arg(long)]
    pub(crate) allow_unpinned: bool,
    /// Fetch it again, even if it is here.
    #[arg(long)]
    pub(crate) force: bool,
    /// No bar and no messages.
    #[arg(long)]
    pub(crate) quiet: bool,
}

fn sha256(digits: &str) -> Result<String, String> {
    let is_sum = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_sum { Ok(digits.to_ascii_lowercase()) } else { Err("expected 64 hexadecimal digits".to_owned()) }
}
