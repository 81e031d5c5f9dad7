//! What moves from one frame of a film to the next, and what follows from it.
//!
//! ```text
//! two photos --Estimator--> Flow both ways --visible--> Mask ---warping_error--> how much a film flickers
//!                              |                          |
//!                              +--- Steadier: the last result, moved, blended into the new painting
//! photos --SceneCuts--> where one shot ends and the next begins
//! ```
//!
//! A flow from A to B has the size of A and says for each pixel's centre how far, in pixels, what is seen there has moved
//! in B. Moving B back onto A takes the flow from A to B: each pixel of A looks up where it went.
#![forbid(unsafe_code)]

mod cuts;
mod estimate;
mod flo;
mod flow;
mod mask;
mod measure;
mod steady;
mod visible;
mod warp;

pub use cuts::SceneCuts;
pub use estimate::{Effort, Estimator};
pub use flo::{FloError, FloFileError, parse_flo, read_flo, to_flo, write_flo};
pub use flow::{Flow, FlowError};
pub use mask::Mask;
pub use measure::{PairError, WarpingErrors, warping_error};
pub use steady::{Steadier, SteadyOptions};
pub use visible::{MotionEdges, visible};
pub use warp::{Warped, warp};
