//! The Polars expression plugin interface, version 0.1: the only hand-written C ABI.
//!
//! Polars opens this library, asks for its version, then calls `_polars_plugin_<name>` with the
//! input columns and `_polars_plugin_field_<name>` with their types. Both sides speak the Arrow C
//! data interface; a column travels as a [`SeriesExport`]. The layout is Polars' own
//! (`polars-ffi`, `version_0`), unchanged since 2024 and held by tests on the oldest and newest
//! supported versions.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::mem::ManuallyDrop;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, Field, Fields};
use nser_core::isa::Isa;
use serde::Deserialize;

use crate::arrow::{Chunked, data_type, kind};
use crate::error::Failure;
use crate::plan_cache;
use crate::pmt::{Options, Scored, code_field, score_columns, score_field, status_field};
use crate::runtime::{RunState, find_run, guarded, on_pool, threads_for};

/// A column in Polars' hands. `release` frees the struct's own memory, not the arrays' contents.
#[repr(C)]
pub struct SeriesExport {
    field: *mut FFI_ArrowSchema,
    arrays: *mut *mut FFI_ArrowArray,
    len: usize,
    release: Option<unsafe extern "C" fn(*mut SeriesExport)>,
    private_data: *mut c_void,
}

/// What an expression passes besides columns.
#[derive(Deserialize)]
struct Arguments {
    /// The model's program.
    program: String,
    /// Name of the result, or of the scores where there are two.
    name: String,
    /// Name of the status codes.
    status: String,
    /// Number of the run to report to, if any.
    run: Option<u64>,
    /// Whether the last input numbers the rows.
    numbered: bool,
}

#[derive(Clone, Copy)]
enum Output {
    Score,
    /// The status as an Enum.
    Status,
    /// Score and status code: Polars looks at each value of an Enum that it takes over, and makes
    /// one of codes by itself twenty times as fast.
    Both,
}

impl Output {
    fn field(self, names: &Arguments) -> Field {
        match self {
            Self::Score => score_field(&names.name),
            Self::Status => status_field(&names.status),
            Self::Both => Field::new(&names.name, DataType::Struct(Self::fields(names)), false),
        }
    }

    fn fields(names: &Arguments) -> Fields {
        Fields::from(vec![score_field(&names.name), code_field(&names.status)])
    }

    fn array(self, scored: Scored, names: &Arguments) -> Result<ArrayRef, Failure> {
        Ok(match self {
            Self::Score => scored.into_arrays().0,
            Self::Status => scored.into_arrays().1,
            Self::Both => {
                let (scores, codes) = scored.into_codes();
                let both = StructArray::try_new(Self::fields(names), vec![scores, codes], None);
                Arc::new(both.map_err(|_| Failure::internal("a result does not fit its schema"))?)
            }
        })
    }
}

thread_local! {
    /// Polars asks for it on the thread that made the failing call.
    static LAST_ERROR: RefCell<CString> = RefCell::new(CString::default());
}

/// ABI version, major in the upper half: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn _polars_plugin_get_version() -> u32 {
    1
}

/// Text of this thread's last failure; valid until its next one.
#[unsafe(no_mangle)]
pub extern "C" fn _polars_plugin_get_last_error_message() -> *const c_char {
    LAST_ERROR.with_borrow(|message| message.as_ptr())
}

/// Runs `work`; a failure or a panic leaves its message for Polars and writes no result.
fn at_boundary<T>(work: impl FnOnce() -> Result<T, Failure>) -> Option<T> {
    match guarded(work) {
        Ok(done) => Some(done),
        Err(failure) => {
            let message = CString::new(failure.tagged()).unwrap_or_default();
            LAST_ERROR.with_borrow_mut(|slot| *slot = message);
            None
        }
    }
}

/// # Safety
///
/// `kwargs` points to `len` readable bytes, or `len` is 0.
unsafe fn arguments(kwargs: *const u8, len: usize) -> Result<Arguments, Failure> {
    let bytes = if kwargs.is_null() || len == 0 {
        &[]
    } else {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(kwargs, len) }
    };
    serde_pickle::from_slice(bytes, serde_pickle::DeOptions::new())
        .map_err(|_| Failure::internal("the expression's arguments could not be read"))
}

/// Takes over the input columns and frees what Polars wrapped them in.
///
/// # Safety
///
/// `inputs` points to `n` exports that nobody else will release.
unsafe fn take_inputs(inputs: *mut SeriesExport, n: usize) -> Result<Vec<Chunked>, Failure> {
    let mut columns = vec![];
    let mut failure = None;
    for i in 0..n {
        // SAFETY: the caller's promise; every export is visited once, also after a failure, so
        // that everything is freed.
        unsafe {
            let export = inputs.add(i);
            match take_series(export) {
                Ok(column) => columns.push(column),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
            if let Some(release) = (*export).release {
                release(export);
            }
        }
    }
    failure.map_or(Ok(columns), Err)
}

/// # Safety
///
/// `export` is valid; its arrays are moved out and must not be used again.
unsafe fn take_series(export: *mut SeriesExport) -> Result<Chunked, Failure> {
    // SAFETY: a valid export has a valid field and `len` valid arrays, which `ptr::read` moves out:
    // the producer's release function frees the boxes without touching their contents.
    let (schema, arrays): (&FFI_ArrowSchema, Vec<FFI_ArrowArray>) = unsafe {
        let export = &*export;
        let arrays = (0..export.len).map(|k| std::ptr::read(*export.arrays.add(k))).collect();
        (&*export.field, arrays)
    };
    Chunked::new(schema.name().unwrap_or_default(), schema, arrays)
}

struct Exported {
    field: Box<FFI_ArrowSchema>,
    arrays: Box<[*mut FFI_ArrowArray]>,
}

unsafe extern "C" fn release_export(export: *mut SeriesExport) {
    // SAFETY: Polars calls this once, with the export that `give` filled; it has moved the arrays'
    // contents out, so only the boxes are freed.
    unsafe {
        let Some(export) = export.as_mut() else { return };
        let own = Box::from_raw(export.private_data.cast::<Exported>());
        for &array in &own.arrays {
            drop(Box::from_raw(array.cast::<ManuallyDrop<FFI_ArrowArray>>()));
        }
        drop(own);
        export.release = None;
        export.private_data = std::ptr::null_mut();
    }
}

/// Wraps a result for Polars.
fn give(array: &ArrayRef, field: &Field) -> Result<SeriesExport, Failure> {
    let broken = || Failure::internal("a result could not be exported");
    let (array, _) = to_ffi(&array.to_data()).map_err(|_| broken())?;
    let field = FFI_ArrowSchema::try_from(field).map_err(|_| broken())?;
    let mut own = Box::new(Exported {
        field: Box::new(field),
        arrays: Box::new([Box::into_raw(Box::new(array))]),
    });
    Ok(SeriesExport {
        field: &raw mut *own.field,
        arrays: own.arrays.as_mut_ptr(),
        len: own.arrays.len(),
        release: Some(release_export),
        private_data: Box::into_raw(own).cast(),
    })
}

/// Number of a row in the caller's frame, from the numbering column.
fn row_number(numbers: Option<&Chunked>, row: usize) -> usize {
    let mut left = row;
    for chunk in numbers.iter().flat_map(|c| &c.chunks) {
        if left >= chunk.len() {
            left -= chunk.len();
        } else if let Some(wide) = chunk.as_primitive_opt::<UInt64Type>() {
            return wide.value(left) as usize;
        } else if let Some(narrow) = chunk.as_primitive_opt::<UInt32Type>() {
            return narrow.value(left) as usize;
        }
    }
    row
}

fn evaluate(
    mut columns: Vec<Chunked>,
    arguments: &Arguments,
    output: Output,
) -> Result<SeriesExport, Failure> {
    let plan = plan_cache::plan(arguments.program.as_bytes())?;
    let numbers = if arguments.numbered { columns.pop() } else { None };
    let unseen = Arc::new(RunState::default());
    let state = arguments.run.and_then(find_run).unwrap_or(unseen);
    // Literals come with length 1.
    let lengths = || columns.iter().map(Chunked::len);
    let rows = lengths().find(|&n| n != 1).unwrap_or_else(|| lengths().next().unwrap_or(0));
    let threads = threads_for(rows, None);
    let options = Options {
        threads,
        isa: Isa::best(),
        state: &state,
        row_number: &|row| row_number(numbers.as_ref(), row),
    };
    let scored = on_pool(threads, || score_columns(&plan, &columns, rows, &options))?;
    give(&output.array(scored, arguments)?, &output.field(arguments))
}

fn check_types(fields: &[&FFI_ArrowSchema], arguments: &Arguments) -> Result<(), Failure> {
    let plan = plan_cache::plan(arguments.program.as_bytes())?;
    let inputs = fields.len() - usize::from(arguments.numbered && !fields.is_empty());
    if inputs != plan.columns().len() {
        return Err(Failure::schema("", "the expression has the wrong number of inputs"));
    }
    for ((c, name), schema) in plan.columns().iter().enumerate().zip(fields) {
        plan.check_kind(c, kind(&data_type(name, schema)?))?;
    }
    Ok(())
}

/// The two functions of an expression.
macro_rules! expression {
    ($call:ident, $field:ident, $output:expr) => {
        /// # Safety
        ///
        /// Called by Polars by the rules of the plugin interface.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $call(
            inputs: *mut SeriesExport,
            n: usize,
            kwargs: *const u8,
            kwargs_len: usize,
            result: *mut SeriesExport,
            _context: *const c_void,
        ) {
            let done = at_boundary(|| {
                // SAFETY: Polars hands over ownership of `n` exports.
                let columns = unsafe { take_inputs(inputs, n) };
                // SAFETY: Polars lends the pickled arguments.
                let arguments = unsafe { arguments(kwargs, kwargs_len) };
                evaluate(columns?, &arguments?, $output)
            });
            if let Some(export) = done {
                // SAFETY: `result` is Polars' empty export; an empty one owns nothing.
                unsafe { std::ptr::write(result, export) };
            }
        }

        /// # Safety
        ///
        /// Called by Polars by the rules of the plugin interface.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $field(
            fields: *const FFI_ArrowSchema,
            n: usize,
            result: *mut FFI_ArrowSchema,
            kwargs: *const u8,
            kwargs_len: usize,
        ) {
            let done = at_boundary(|| {
                // SAFETY: Polars lends `n` valid schemas and the pickled arguments.
                let (fields, arguments) = unsafe {
                    let fields: Vec<_> = (0..n).map(|i| &*fields.add(i)).collect();
                    (fields, arguments(kwargs, kwargs_len)?)
                };
                check_types(&fields, &arguments)?;
                FFI_ArrowSchema::try_from($output.field(&arguments))
                    .map_err(|_| Failure::internal("a result type could not be exported"))
            });
            if let Some(schema) = done {
                // SAFETY: `result` is Polars' empty schema.
                unsafe { std::ptr::write(result, schema) };
            }
        }
    };
}

expression!(_polars_plugin_pmt_score, _polars_plugin_field_pmt_score, Output::Score);
expression!(_polars_plugin_pmt_status, _polars_plugin_field_pmt_status, Output::Status);
expression!(_polars_plugin_pmt_both, _polars_plugin_field_pmt_both, Output::Both);
