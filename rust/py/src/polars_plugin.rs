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

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array::{Array, ArrayRef, new_empty_array};
use arrow_schema::Field;
use serde::de::DeserializeOwned;

use crate::arrow::{Chunked, Input, data_type};
use crate::error::Failure;
use crate::operation::RowWise;
use crate::pmt_expression::Pmt;
use crate::runtime::guarded;

/// What a plugin function does, behind the C interface.
pub trait Expression {
    /// What it is passed besides columns, pickled by Polars.
    type Arguments: DeserializeOwned;

    /// Type of the result; refuses inputs that cannot be read.
    fn field(&self, inputs: &[Input], arguments: &Self::Arguments) -> Result<Field, Failure>;

    /// The result of columns, in pieces. Literals come with length 1.
    fn evaluate(
        &self,
        columns: Vec<Chunked>,
        arguments: &Self::Arguments,
    ) -> Result<(Field, Vec<ArrayRef>), Failure>;
}

/// Rows of a call: literals come with length 1.
pub fn rows_of(columns: &[Chunked]) -> usize {
    let lengths = || columns.iter().map(Chunked::len);
    lengths().find(|&n| n != 1).unwrap_or_else(|| lengths().next().unwrap_or(0))
}

/// A column in Polars' hands. `release` frees the struct's own memory, not the arrays' contents.
#[repr(C)]
pub struct SeriesExport {
    field: *mut FFI_ArrowSchema,
    arrays: *mut *mut FFI_ArrowArray,
    len: usize,
    release: Option<unsafe extern "C" fn(*mut SeriesExport)>,
    private_data: *mut c_void,
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
unsafe fn arguments<T: DeserializeOwned>(kwargs: *const u8, len: usize) -> Result<T, Failure> {
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
fn give(field: &Field, mut arrays: Vec<ArrayRef>) -> Result<SeriesExport, Failure> {
    let broken = || Failure::internal("a result could not be exported");
    if arrays.is_empty() {
        arrays.push(new_empty_array(field.data_type()));
    }
    let exported = arrays.iter().map(|array| to_ffi(&array.to_data()).map(|(array, _)| array));
    let exported: Vec<FFI_ArrowArray> = exported.collect::<Result<_, _>>().map_err(|_| broken())?;
    let mut own = Box::new(Exported {
        field: Box::new(FFI_ArrowSchema::try_from(field).map_err(|_| broken())?),
        arrays: exported.into_iter().map(|array| Box::into_raw(Box::new(array))).collect(),
    });
    Ok(SeriesExport {
        field: &raw mut *own.field,
        arrays: own.arrays.as_mut_ptr(),
        len: own.arrays.len(),
        release: Some(release_export),
        private_data: Box::into_raw(own).cast(),
    })
}

/// # Safety
///
/// `fields` points to `n` valid schemas.
unsafe fn inputs(fields: *const FFI_ArrowSchema, n: usize) -> Result<Vec<Input>, Failure> {
    let input = |i| {
        // SAFETY: the caller's promise.
        let schema = unsafe { &*fields.add(i) };
        let name = schema.name().unwrap_or_default();
        Ok(Input { name: name.to_owned(), data_type: data_type(name, schema)? })
    };
    (0..n).map(input).collect()
}

/// The two functions of an expression.
macro_rules! expression {
    ($call:ident, $field:ident, $expression:expr) => {
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
                let (field, arrays) = $expression.evaluate(columns?, &arguments?)?;
                give(&field, arrays)
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
                // SAFETY: Polars lends `n` valid schemas.
                let inputs = unsafe { inputs(fields, n) }?;
                // SAFETY: Polars lends the pickled arguments.
                let arguments = unsafe { arguments(kwargs, kwargs_len) }?;
                let field = $expression.field(&inputs, &arguments)?;
                FFI_ArrowSchema::try_from(field)
                    .map_err(|_| Failure::internal("a result type could not be exported"))
            });
            if let Some(schema) = done {
                // SAFETY: `result` is Polars' empty schema.
                unsafe { std::ptr::write(result, schema) };
            }
        }
    };
}

expression!(_polars_plugin_pmt_score, _polars_plugin_field_pmt_score, Pmt::Score);
expression!(_polars_plugin_pmt_status, _polars_plugin_field_pmt_status, Pmt::Status);
expression!(_polars_plugin_pmt_both, _polars_plugin_field_pmt_both, Pmt::Both);
expression!(_polars_plugin_row_wise, _polars_plugin_field_row_wise, RowWise);
