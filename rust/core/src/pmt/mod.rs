//! Proxy-means-test scoring: a JSON program becomes a [`Plan`], a plan scores columns or a row.
//!
//! * `program`: the wire form of a model, as the Python side writes it.
//! * `plan`: the compiled form and the row path, [`Plan::score_row`]. It is the definition of a
//!   score; everything faster is tested against it.
//! * `levels`, `bins`, `steps`: category look-up, number look-up, scale steps; `expected`: what a
//!   term accepts, in words.
//! * `block`: the column path, 4,096 rows at a time; `numbers` and `loops` are what it is made of,
//!   `cpu` compiles them for each instruction set; `look_up` holds what only wide registers do.

mod bins;
mod block;
mod cpu;
mod expected;
mod levels;
mod look_up;
mod loops;
mod numbers;
mod plan;
mod program;
mod steps;

pub use crate::column::{Kind, Value};
pub use block::Bound;
pub(crate) use look_up::add256;
pub use plan::{Contribution, Plan, RowScore, Status};
