//! How much films flicker that were painted frame by frame, and what the painting is like.

mod scores;
mod sequence;
mod table;
mod true_flow;

pub use scores::{FilmScores, FlowSource};
pub use sequence::{Film, FilmError, films};
pub use table::table;
pub use true_flow::{TrueFlow, TrueFlowError, true_flows};
