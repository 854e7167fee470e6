//! Who does the parts of a piece of work: this crate starts no threads.

/// Does jobs, in any order, on any threads.
pub trait Jobs: Sync {
    /// Why it stopped.
    type Stop;

    /// Calls `work` once for each item; the results are in the order of the items.
    ///
    /// # Errors
    ///
    /// The caller asked to stop.
    fn map<S: Send, T: Send>(
        &self,
        items: &mut [S],
        work: impl Fn(usize, &mut S) -> T + Sync,
    ) -> Result<Vec<T>, Self::Stop>;
}

/// Does one job after the other, on this thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serial;

impl Jobs for Serial {
    type Stop = std::convert::Infallible;

    fn map<S: Send, T: Send>(
        &self,
        items: &mut [S],
        work: impl Fn(usize, &mut S) -> T + Sync,
    ) -> Result<Vec<T>, Self::Stop> {
        Ok(items.iter_mut().enumerate().map(|(n, item)| work(n, item)).collect())
    }
}
