//! How every long call runs: off the GIL, on our own threads, interruptible, with panics caught.
//!
//! The pool belongs to the process that made it. A forked child has a copy of the parent's memory
//! but none of its threads, so a pool found there is left alone (never dropped: its threads are
//! gone) and a new one is made. The slot is one atomic pointer because a lock could be held by
//! another thread at the moment of the fork.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::Failure;

/// Rows below which a call uses one thread: Polars' streaming engine sends pieces of half that from
/// threads of its own.
const SERIAL_ROWS: usize = 200_000;

/// Rows times terms below which a call is over before anyone could interrupt it.
const SHORT_CELLS: usize = 2_000_000;

/// Rows between two looks at the cancel flag, for a kernel with so many terms: a few milliseconds.
pub fn chunk_rows(terms: usize) -> usize {
    (SHORT_CELLS / terms.max(1)).clamp(1024, 65_536)
}

const POLL: Duration = Duration::from_millis(50);

struct Pool {
    pid: u32,
    pool: ThreadPool,
}

static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

/// Threads of the pool: `NSER_PMT_NUM_THREADS`, or the cores this process may use.
fn default_threads() -> usize {
    std::env::var("NSER_PMT_NUM_THREADS")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .filter(|&n| n > 0)
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into))
}

fn pool() -> Result<&'static ThreadPool, Failure> {
    let pid = std::process::id();
    let current = POOL.load(Ordering::Acquire);
    // SAFETY: a non-null pointer in POOL came from Box::into_raw below and is never freed.
    if let Some(found) = unsafe { current.as_ref() }
        && found.pid == pid
    {
        return Ok(&found.pool);
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(default_threads())
        .thread_name(|i| format!("nser_pmt-{i}"))
        .build()
        .map_err(|_| Failure::internal("the operating system gave no threads"))?;
    let fresh = Box::into_raw(Box::new(Pool { pid, pool }));
    match POOL.compare_exchange(current, fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: just made, now owned by POOL for the life of the process.
        Ok(_) => Ok(unsafe { &(*fresh).pool }),
        Err(winner) => {
            // SAFETY: `fresh` was not published; nobody else has it. `winner` was, as above.
            drop(unsafe { Box::from_raw(fresh) });
            // SAFETY: as above.
            Ok(unsafe { &(*winner).pool })
        }
    }
}

/// What a running call tells the outside, and what it is told.
#[derive(Debug, Default)]
pub struct RunState {
    cancelled: AtomicBool,
    done: AtomicU64,
    statuses: [AtomicU64; 3],
}

impl RunState {
    /// Stops the work at its next look.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Err when the work should stop.
    pub fn check(&self) -> Result<(), Failure> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Failure::cancelled("cancelled"));
        }
        Ok(())
    }

    /// Counts finished rows by status code.
    pub fn advance(&self, statuses: &[u8]) {
        // Nearly always all are ok, and that is seen sixteen at a time.
        if statuses.iter().fold(0, |all, status| all | status) == 0 {
            let [ok, ..] = &self.statuses;
            ok.fetch_add(statuses.len() as u64, Ordering::Relaxed);
        } else {
            for (total, code) in self.statuses.iter().zip(0u8..) {
                let count = statuses.iter().filter(|&&status| status == code).count();
                total.fetch_add(count as u64, Ordering::Relaxed);
            }
        }
        self.done.fetch_add(statuses.len() as u64, Ordering::Relaxed);
    }
}

/// Runs that a plugin call may find by number: an expression can carry a number, not a pointer.
static RUNS: Mutex<Vec<(u64, Arc<RunState>)>> = Mutex::new(Vec::new());
static NEXT_RUN: AtomicU64 = AtomicU64::new(1);

/// The run registered under a number, if it is still there.
pub fn find_run(id: u64) -> Option<Arc<RunState>> {
    let runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    runs.iter().find(|(n, _)| *n == id).map(|(_, run)| Arc::clone(run))
}

/// Python's hold on a run: progress, and a way to stop it from any thread.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct Control {
    id: u64,
    /// The state shared with the work.
    pub state: Arc<RunState>,
}

#[pymethods]
impl Control {
    #[new]
    fn new() -> Self {
        let id = NEXT_RUN.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(RunState::default());
        RUNS.lock().unwrap_or_else(PoisonError::into_inner).push((id, Arc::clone(&state)));
        Self { id, state }
    }

    #[getter]
    fn id(&self) -> u64 {
        self.id
    }

    /// Rows finished so far.
    #[getter]
    fn done(&self) -> u64 {
        self.state.done.load(Ordering::Relaxed)
    }

    /// Rows finished so far by status: ok, missing, out of domain.
    #[getter]
    fn statuses(&self) -> [u64; 3] {
        self.state.statuses.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Stops the run at its next look, within about a millisecond of work.
    fn cancel(&self) {
        self.state.cancel();
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        RUNS.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| *id != self.id);
    }
}

thread_local! {
    static PANIC_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces the default hook, which prints the panic's payload, by one that keeps the place only:
/// a payload may quote data.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        PANIC_PLACE.with_borrow_mut(|slot| *slot = place);
    }));
}

fn panicked(_payload: Box<dyn Any + Send>) -> Failure {
    let place = PANIC_PLACE.take().map_or_else(String::new, |place| format!(" at {place}"));
    Failure::internal(format!("a fault in nser_pmt{place}; please report it. No data was changed"))
}

/// Calls `work`; a panic becomes an [`Failure::internal`].
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(panicked(payload)))
}

/// What the caller of a run asks for.
#[derive(Default)]
pub struct Limits {
    /// Seconds after which the run is stopped.
    pub timeout: Option<f64>,
    /// Called on the caller's own thread with the number of finished rows.
    pub tick: Option<Py<PyAny>>,
}

/// Runs `work` on so many `cells` (rows times terms) without the GIL. Short work runs here; long
/// work runs on the pool, while this thread looks for signals and the time limit every 50 ms,
/// reports progress to `tick`, and tells the work to stop.
pub fn run<T: Send>(
    py: Python<'_>,
    cells: usize,
    state: &RunState,
    limits: &Limits,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> PyResult<T> {
    if cells < SHORT_CELLS {
        return Ok(py.detach(|| guarded(work))?);
    }
    let deadline = limits
        .timeout
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .and_then(|limit| Instant::now().checked_add(limit));
    py.detach(|| {
        let pool = pool()?;
        std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            scope.spawn(move || {
                // The place of a panic is kept by the thread that panicked: catch it there.
                sender.send(pool.install(|| guarded(work))).ok();
            });
            let mut stopped: Option<PyErr> = None;
            loop {
                match receiver.recv_timeout(POLL) {
                    Ok(result) => return stopped.map_or_else(|| Ok(result?), Err),
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Failure::internal("a worker thread was lost").into());
                    }
                    Err(RecvTimeoutError::Timeout) if stopped.is_some() => {}
                    Err(RecvTimeoutError::Timeout) => {
                        let signal = Python::attach(|py| {
                            py.check_signals()?;
                            let done = state.done.load(Ordering::Relaxed);
                            limits.tick.as_ref().map_or(Ok(()), |f| f.call1(py, (done,)).map(drop))
                        });
                        stopped = signal.err().or_else(|| {
                            let late = deadline.is_some_and(|at| Instant::now() >= at);
                            late.then(|| Failure::cancelled("timeout").into())
                        });
                        if stopped.is_some() {
                            state.cancel();
                        }
                    }
                }
            }
        })
    })
}

/// Threads to use for `rows` rows when the caller asks for `threads` (none: as many as there are).
pub fn threads_for(rows: usize, threads: Option<usize>) -> usize {
    if rows < SERIAL_ROWS { 1 } else { threads.unwrap_or_else(default_threads).max(1) }
}

/// Takes jobs from `jobs` on up to `threads` threads of our pool. Which thread does what
/// is left to chance; what comes out is not, because every job writes only its own rows. Jobs are
/// handed out in order, so the failure that is reported is always that of the first that fails.
pub fn for_each_job<J: Send>(
    threads: usize,
    state: &RunState,
    jobs: impl Iterator<Item = J> + Send,
    work: impl Fn(J) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let jobs = Mutex::new(jobs.enumerate());
    let first: Mutex<Option<(usize, Failure)>> = Mutex::new(None);
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || {
        while let Some((n, job)) = next() {
            // Caught here, on the thread that keeps the place of the panic.
            if let Err(failure) = guarded(|| state.check().and_then(|()| work(job))) {
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                if first.as_ref().is_none_or(|(earlier, _)| n < *earlier) {
                    *first = Some((n, failure));
                }
                return; // every earlier job is done or under way on another thread
            }
        }
    };
    if threads <= 1 {
        worker();
    } else {
        let spawn = || rayon::scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| worker())));
        pool()?.install(spawn); // on a thread of the pool already, it runs right there
    }
    first
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .map_or(Ok(()), |(_, failure)| Err(failure))
}

/// True when the extension was built without optimisation: benchmarks refuse it.
#[pyfunction]
pub fn debug_build() -> bool {
    cfg!(debug_assertions)
}

/// Panics inside [`run`] with a payload that must never be seen. For the tests of the wrapper.
#[pyfunction]
pub fn provoke_panic(py: Python<'_>, cells: usize, secret: String) -> PyResult<()> {
    #[expect(clippy::panic, reason = "the point of it")]
    run(py, cells, &RunState::default(), &Limits::default(), || panic!("{secret}"))
}
