//! `--json`: one object a line for each picture.

use std::borrow::Cow;

use serde::Serialize;

use super::{Done, Outcome};
use crate::plan::{ImagePlan, Job, Output};

/// What one picture took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Seconds {
    /// Reading the photo and decoding it; the same for all pictures of one photo.
    pub(crate) decode: f64,
    pub(crate) paint: f64,
    /// Encoding and writing.
    pub(crate) encode: f64,
}

/// One line; what does not apply is left out. Paths that are not Unicode are written as near as can be.
#[derive(Serialize)]
pub(super) struct JsonLine<'a> {
    input: Cow<'a, str>,
    output: Cow<'a, str>,
    style: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> JsonLine<'a> {
    pub(super) fn of(plan: &'a ImagePlan, job: &'a Job, output: &'a Output, outcome: &'a Outcome) -> Self {
        let (done, error) = match outcome {
            Outcome::Done(done) => (Some(*done), None),
            Outcome::Failed { error, .. } => (None, Some(error.as_str())),
        };
        Self {
            input: job.source.name(),
            output: output.target.name(),
            style: plan.looks[output.look].name(),
            width: done.map(|Done { width, .. }| width),
            height: done.map(|Done { height, .. }| height),
            seconds: done.and_then(|done| done.seconds),
            error,
        }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers become JSON")
    }
}
