//! `trainer fetch` towards the user: arguments, bar, words.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use common::exit_status::{ExitStatus, UsageError};
use common::lossnet::{LOSS_NET_NAMES, LossNetShelf};
use common::space::ChannelOrder;
use indicatif::{ProgressBar, ProgressStyle};
use trainer::fetch::{
    Checked, Entry, FetchEvent, Http, Installed, MANIFEST, Order, Origin, Patience, entry, installed,
};

use super::stdout::print;
use crate::cli::FetchArgs;

pub(crate) fn fetch(args: &FetchArgs) -> anyhow::Result<ExitStatus> {
    let shelf = LossNetShelf::standard();
    let Some(name) = args.name.as_deref().filter(|_| !args.list) else {
        print(&list(&shelf)?)?;
        return Ok(ExitStatus::Success);
    };
    let entry = entry(name).ok_or_else(|| {
        UsageError(format!("no loss network is called {name}; there are {}", LOSS_NET_NAMES.join(", ")))
    })?;
    if !args.force
        && let Some((path, about)) = installed(&shelf, name)
    {
        let shown = path.display();
        say(args, &format!("{name} is there already ({about}); --force fetches it again"));
        print(&format!("{shown}\n"))?;
        return Ok(ExitStatus::Success);
    }

    let order = Order { entry, origin: origin(args), allow_unpinned: args.allow_unpinned };
    let bar = FetchBar::new(args.quiet);
    let outcome = order.run(&shelf, &Http::new(Patience::default()), &mut |event| bar.show(&event));
    bar.finish();
    report(args, entry, &outcome.with_context(|| format!("fetching {name}"))?)?;
    Ok(ExitStatus::Success)
}

/// An address has a scheme; all else is a file.
fn origin(args: &FetchArgs) -> Origin<'_> {
    let sha256 = args.sha256.as_deref();
    match args.source.as_deref() {
        None => Origin::Manifest,
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => Origin::Url { url, sha256 },
        Some(path) => Origin::File { path: Path::new(path), sha256 },
    }
}

fn report(args: &FetchArgs, entry: &Entry, installed: &Installed) -> anyhow::Result<()> {
    let Installed { path, weights, licence, input_space, deepest, convolutions_sha256, checked } = installed;
    let name = entry.name;
    let how = match checked {
        Checked::BySum => "checked by sha256",
        Checked::ByFirstDigits => "checked by the first digits of the sha256",
        Checked::ByConvolutions => "checked by the sha256 of the convolutions",
        Checked::Not => "not checked",
    };
    let order = match input_space.channel_order {
        ChannelOrder::Rgb => "red first",
        ChannelOrder::Bgr => "blue first",
    };
    say(args, &format!("{name}: {weights} weights up to {deepest}, {order}, {how}; licence {licence}"));
    say(args, &format!("sha256 of the convolutions: {convolutions_sha256}"));
    print(&format!("{}\n", path.display()))
}

/// What is known, and what of it is here.
fn list(shelf: &LossNetShelf) -> anyhow::Result<String> {
    let mut list = format!("loss networks, kept in {}\n", shelf.folder()?.display());
    for entry in &MANIFEST {
        let state = installed(shelf, entry.name).map_or("not fetched".to_owned(), |(_, about)| about);
        writeln!(list, "  {:24} {}\n  {:24} here: {state}", entry.name, entry.about, "")?;
    }
    Ok(list)
}

fn say(args: &FetchArgs, words: &str) {
    if !args.quiet {
        eprintln!("{words}");
    }
}

/// A bar on stderr where that is a terminal, and lines above it.
struct FetchBar {
    bar: ProgressBar,
    is_quiet: bool,
}

impl FetchBar {
    fn new(is_quiet: bool) -> Self {
        let bar = if is_quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        Self { bar, is_quiet }
    }

    fn show(&self, event: &FetchEvent<'_>) {
        match event {
            FetchEvent::Receiving { have, total } => {
                if let Some(total) = total {
                    self.bar.set_length(*total);
                }
                self.bar.set_position(*have);
                self.bar.set_message("fetching");
            }
            FetchEvent::Asking { url, bytes } => {
                let size = bytes.map_or(String::new(), |bytes| format!(" ({} MB)", bytes / 1_000_000));
                self.line(&format!("fetching {url}{size}"));
            }
            FetchEvent::Retrying(error) => self.line(&format!("trying again: {error}")),
            FetchEvent::NoRanges => self.line("the server gives no part of the file, fetching all of it"),
            FetchEvent::Converting => self.bar.set_message("checking and converting"),
            FetchEvent::GivenUp(error) => self.line(&format!("trying the next source: {error}")),
        }
    }

    fn line(&self, words: &str) {
        if !self.is_quiet {
            self.bar.suspend(|| eprintln!("{words}"));
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
