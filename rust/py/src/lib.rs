//! `nser_pmt._native`: the Rust side of the Python package. Private; see `nser_pmt` for the API.

mod arrow;
mod cnic;
mod error;
mod link;
mod mapped;
mod memory;
mod name;
mod name_similarity;
mod operation;
mod person_index;
mod pmt;
mod pmt_expression;
mod polars_plugin;
mod recent;
mod registry;
mod runtime;
mod stats;
mod text;
mod top_k;

/// The list of exports.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::arrow::ArrowStream;
    #[pymodule_export]
    use super::cnic::{CnicIndex, cnic_categories, cnic_key};
    #[pymodule_export]
    use super::link::{Linker, RuleRun, assign_pairs, cluster_pairs, learn_matches, rank_ids};
    #[pymodule_export]
    use super::name::name_categories;
    #[pymodule_export]
    use super::operation::{evaluate, evaluate_one};
    #[pymodule_export]
    use super::person_index::PersonIndex;
    #[pymodule_export]
    use super::pmt::{Scorer, isa_names};
    #[pymodule_export]
    use super::registry::KeyIndex;
    #[pymodule_export]
    use super::runtime::{Control, debug_build, provoke_panic};
    #[pymodule_export]
    use super::stats::{
        Moments, ScenarioCoder, ScenarioCodes, ScenarioCurve, ScenarioScores, Scores, bootstrap,
        calibrate, choose_terms, concentration_curve, cross_validate, glm_factors, glm_fit,
        group_scores, inverse, jackknife, penalised_path, quantile_fit, quantile_refits,
        rank_correlation, robust_meat, sandwich_variance, student_limit, student_p,
        targeting_bootstrap, targeting_curve, weighted_gram,
    };
    #[pymodule_export]
    use super::top_k::Dictionary;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::runtime::install_panic_hook();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
