//! Compiled plans of the last few expressions.
//!
//! Polars calls an expression once per morsel and gives the model as bytes each time; compiling
//! takes longer than a small morsel. A plan is a pure function of its bytes, so this is no state
//! that anyone can observe.

use std::sync::{Arc, Mutex};

use nser_core::pmt::Plan;

use crate::error::Failure;

const KEPT: usize = 8;

static PLANS: Mutex<Vec<(Vec<u8>, Arc<Plan>)>> = Mutex::new(Vec::new());

/// The plan of a JSON program.
pub fn plan(json: &[u8]) -> Result<Arc<Plan>, Failure> {
    // `try_lock`: after a fork the lock may be held for ever by a thread that is gone.
    if let Ok(plans) = PLANS.try_lock()
        && let Some((_, plan)) = plans.iter().find(|(bytes, _)| bytes == json)
    {
        return Ok(Arc::clone(plan));
    }
    let plan = Arc::new(Plan::from_json(json)?);
    if let Ok(mut plans) = PLANS.try_lock() {
        plans.truncate(KEPT - 1);
        plans.insert(0, (json.to_vec(), Arc::clone(&plan)));
    }
    Ok(plan)
}
