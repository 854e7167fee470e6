//! Linkage: columns and a plan -> core -> pairs, patterns, counts, clusters.

mod cluster;
mod columns;
mod export;
mod learn;
mod linker;
mod patterns;
mod plan;
mod prepared;
mod rule_run;
mod weights;

pub use cluster::{assign_pairs, cluster_pairs, rank_ids};
pub use columns::numbers;
pub use export::add_levels;
pub use learn::learn_matches;
pub use linker::Linker;
pub use plan::{ComparisonSpec, RuleSpec, scheme};
pub use rule_run::RuleRun;
pub use weights::WeightsSpec;
