//! A training as one page to look at: curves, previews, numbers, configuration.
//!
//! The page is a single file that needs nothing from elsewhere, follows the reader's light or dark theme, and says
//! all there is to say without scripts too (they only turn the pages of the previews).

mod chart;
mod curves;
mod page;
mod previews;
mod scale;

use std::path::PathBuf;

use pixel::atomic_file::AtomicFileError;

use crate::run_record::RunRecord;

/// The report's name in the run folder.
pub const FILE_NAME: &str = "report.html";

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("report: {0}")]
pub struct ReportError(AtomicFileError);

/// Writes the report of a run, finished or not, into its folder, and returns where it is. Previews that cannot be read
/// are counted in it.
///
/// # Errors
/// The file cannot be written; what was there before is untouched.
pub fn write(record: &RunRecord) -> Result<PathBuf, ReportError> {
    let path = record.folder.join(FILE_NAME);
    pixel::atomic_file::write(&path, html(record).as_bytes()).map_err(ReportError)?;
    Ok(path)
}

/// The report of a run as HTML; reads its previews.
pub fn html(record: &RunRecord) -> String {
    page::page(record, &previews::Previews::read(record)).into_string()
}

#[cfg(test)]
mod tests;
