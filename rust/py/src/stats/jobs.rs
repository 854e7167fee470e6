//! The jobs of a kernel, on the threads of a run.

use nser_core::stats::jobs::Jobs;

use crate::error::Failure;
use crate::runtime::{RunState, for_each_job};

/// Does jobs on up to `threads` threads of our pool, until the run is stopped.
pub struct Pool<'a> {
    pub threads: usize,
    pub state: &'a RunState,
}

impl Jobs for Pool<'_> {
    type Stop = Failure;

    fn map<S: Send, T: Send>(
        &self,
        items: &mut [S],
        work: impl Fn(usize, &mut S) -> T + Sync,
    ) -> Result<Vec<T>, Failure> {
        let mut made: Vec<Option<T>> = items.iter().map(|_| None).collect();
        let jobs = items.iter_mut().zip(&mut made).enumerate();
        for_each_job(self.threads, self.state, jobs, |(n, (item, slot))| {
            *slot = Some(work(n, item));
            Ok(())
        })?;
        Ok(made.into_iter().flatten().collect())
    }
}
