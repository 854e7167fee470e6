//! Arrow C interfaces <-> slices. Memory ownership is arrow-rs's; nothing is copied but the rare
//! types that no kernel reads in their own width.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{
    ArrowDictionaryKeyType, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ArrowNativeTypeOp, BooleanArray, DictionaryArray, Float32Array,
    LargeStringArray, NullArray, PrimitiveArray, RecordBatch, RecordBatchIterator, StructArray,
    make_array,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use nser_core::column::{Bits, Codes, Column, Kind, Strings, Values};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::error::Failure;

/// Name and type of an input column.
pub struct Input {
    pub name: String,
    pub data_type: DataType,
}

impl Input {
    /// Refuses a column that is not text; `expected` says what it should be.
    pub fn check_text(&self, expected: &str) -> Result<(), Failure> {
        match kind(&self.data_type) {
            Kind::Text | Kind::Null => Ok(()),
            _ => Err(Failure::schema(&self.name, expected)),
        }
    }
}

/// The field of a result whose inputs are all text.
pub fn text_field(name: &str, inputs: &[Input], result: DataType) -> Result<Field, Failure> {
    inputs.iter().try_for_each(|input| input.check_text("expected text"))?;
    Ok(Field::new(name, result, true))
}

/// Rows whose value is null, when there are any; a column of one value counts for all `rows`.
pub fn null_rows(column: &Column<'_>, rows: usize) -> Option<NullBuffer> {
    if matches!(column.values, Values::Null(_)) {
        return Some(NullBuffer::new_null(rows));
    }
    let valid = column.validity?;
    let literal = column.len() == 1;
    let row = |i| valid.get(if literal { 0 } else { i });
    Some(NullBuffer::new(BooleanBuffer::collect_bool(rows, row)))
}

/// A column in pieces, as Polars hands it over.
#[derive(Debug)]
pub struct Chunked {
    pub name: String,
    pub data_type: DataType,
    pub chunks: Vec<ArrayRef>,
}

impl Chunked {
    /// The column, which is in one chunk.
    pub fn whole(&self) -> Result<Column<'_>, Failure> {
        match self.chunks.as_slice() {
            [] => Ok(Column::null(0)),
            [chunk] => column(&self.name, chunk),
            _ => Err(Failure::internal("a column was not in one chunk")),
        }
    }

    /// Name and type.
    pub fn input(&self) -> Input {
        Input { name: self.name.clone(), data_type: self.data_type.clone() }
    }

    /// What the column is to a model.
    pub fn kind(&self) -> Kind {
        kind(&self.data_type)
    }

    pub fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    /// The chunks of a Polars Series of `rows` rows, or of a DataFrame with that one column: the
    /// Series of Polars 1.30 announces dictionaries and decimals but sends integers.
    pub fn from_stream(name: &str, object: &Bound<'_, PyAny>, rows: usize) -> PyResult<Self> {
        let capsule = object.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
        let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
        // SAFETY: the Arrow PyCapsule interface promises a valid stream behind this name;
        // `from_raw` moves it out and leaves a released stream for the capsule to drop.
        let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr().cast()) };
        let framed = object.get_type().name()? == "DataFrame";
        Ok(read_stream(name, stream, rows, framed)?)
    }

    /// A column of arrays that share one schema.
    pub fn new(
        name: &str,
        schema: &FFI_ArrowSchema,
        arrays: impl IntoIterator<Item = FFI_ArrowArray>,
    ) -> Result<Self, Failure> {
        let data_type = data_type(name, schema)?;
        let chunks = arrays.into_iter().map(|array| import(name, array, schema));
        Ok(Self { name: name.to_owned(), data_type, chunks: chunks.collect::<Result<_, _>>()? })
    }
}

fn read_stream(
    name: &str,
    mut stream: FFI_ArrowArrayStream,
    rows: usize,
    framed: bool,
) -> Result<Chunked, Failure> {
    let broken = || Failure::schema(name, "the Arrow stream could not be read");
    let (Some(get_schema), Some(get_next)) = (stream.get_schema(), stream.get_next()) else {
        return Err(broken());
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: `stream` is valid and not released; both callbacks write to memory we own.
    if unsafe { get_schema(&raw mut stream, &raw mut schema) } != 0 {
        return Err(broken());
    }
    let column = if framed { schema.children().next().ok_or_else(broken)? } else { &schema };
    data_type(name, column)?; // before anything is sent: Polars 1.30 aborts on objects
    let mut arrays = vec![];
    let mut more = rows > 0; // Polars 1.30 fails on an empty Enum
    while more {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: as above.
        if unsafe { get_next(&raw mut stream, &raw mut array) } != 0 {
            return Err(broken());
        }
        more = !array.is_released();
        if more {
            arrays.push(array);
        }
    }
    if !framed {
        return Chunked::new(name, &schema, arrays);
    }
    let mut chunks = vec![];
    for array in arrays {
        // SAFETY: array and schema come from one producer over the Arrow C data interface.
        let frame = unsafe { from_ffi(array, &schema) }.map_err(|_| broken())?;
        chunks.push(StructArray::from(frame).columns().first().ok_or_else(broken)?.clone());
    }
    Ok(Chunked { name: name.to_owned(), data_type: data_type(name, column)?, chunks })
}

/// Takes over one array of a type that [`data_type`] accepts.
fn import(
    name: &str,
    array: FFI_ArrowArray,
    schema: &FFI_ArrowSchema,
) -> Result<ArrayRef, Failure> {
    let unusable = || unusable(name);
    if schema.format() == "n" {
        // arrow-rs expects buffers of its own making here; a null has only a length.
        return Ok(Arc::new(NullArray::new(array.len())));
    }
    let data = if schema.format() == "_pli128" {
        // Polars' own name for a 128-bit integer, laid out as a decimal without decimals.
        let integer =
            FFI_ArrowSchema::try_from(DataType::Decimal128(38, 0)).map_err(|_| unusable())?;
        // SAFETY: Polars' i128 arrays have the layout of Arrow decimal128: validity, 16-byte values.
        unsafe { from_ffi(array, &integer) }
    } else {
        // SAFETY: array and schema come from one producer over the Arrow C data interface.
        unsafe { from_ffi(array, schema) }
    };
    let array = make_array(data.map_err(|_| unusable())?);
    Ok(match array.as_primitive_opt::<Float16Type>() {
        Some(half) => Arc::new(half.iter().map(|x| x.map(f32::from)).collect::<Float32Array>()),
        None => array,
    })
}

/// Arrow type of a schema, or an error that names the column.
pub fn data_type(name: &str, schema: &FFI_ArrowSchema) -> Result<DataType, Failure> {
    if schema.format() == "_pli128" {
        return Ok(DataType::Decimal128(38, 0));
    }
    let found = DataType::try_from(schema).map_err(|_| unusable(name))?;
    let usable = match &found {
        DataType::Dictionary(key, value) => {
            matches!(**key, DataType::UInt8 | DataType::UInt16 | DataType::UInt32) && is_text(value)
        }
        DataType::Null
        | DataType::Boolean
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..) => true,
        other => other.is_integer() || is_text(other),
    };
    if usable { Ok(found) } else { Err(unusable(name)) }
}

fn unusable(name: &str) -> Failure {
    let advice = "this type cannot be read; cast it to a number, a boolean or text";
    Failure::schema(name, advice)
}

fn is_text(found: &DataType) -> bool {
    matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// What a column of this type is to a model.
pub fn kind(found: &DataType) -> Kind {
    match found {
        DataType::Null => Kind::Null,
        DataType::Boolean => Kind::Boolean,
        DataType::Decimal128(_, scale) if *scale > 0 => Kind::Number,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Number,
        DataType::Dictionary(..) => Kind::Text,
        other if is_text(other) => Kind::Text,
        _ => Kind::Integer,
    }
}

/// A borrowed view of an array that [`import`] accepted.
pub fn column<'a>(name: &str, array: &'a dyn Array) -> Result<Column<'a>, Failure> {
    let unusable = || Failure::schema(name, "an Arrow buffer is shorter than its type needs");
    macro_rules! numbers {
        ($variant:ident, $kind:ty) => {
            Values::$variant(array.as_primitive::<$kind>().values())
        };
    }
    let values = match array.data_type() {
        DataType::Null => Values::Null(array.len()),
        DataType::Boolean => Values::Bool(boolean_bits(array.as_boolean()).ok_or_else(unusable)?),
        DataType::Int8 => numbers!(I8, Int8Type),
        DataType::Int16 => numbers!(I16, Int16Type),
        DataType::Int32 => numbers!(I32, Int32Type),
        DataType::Int64 => numbers!(I64, Int64Type),
        DataType::UInt8 => numbers!(U8, UInt8Type),
        DataType::UInt16 => numbers!(U16, UInt16Type),
        DataType::UInt32 => numbers!(U32, UInt32Type),
        DataType::UInt64 => numbers!(U64, UInt64Type),
        DataType::Float32 => numbers!(F32, Float32Type),
        DataType::Float64 => numbers!(F64, Float64Type),
        DataType::Decimal128(_, scale) => Values::Decimal(
            array.as_primitive::<Decimal128Type>().values(),
            u8::try_from(*scale).map_err(|_| unusable())?,
        ),
        DataType::Dictionary(key, _) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.keys();
            let codes = match **key {
                DataType::UInt8 => Codes::U8(keys.as_primitive::<UInt8Type>().values()),
                DataType::UInt16 => Codes::U16(keys.as_primitive::<UInt16Type>().values()),
                _ => Codes::U32(keys.as_primitive::<UInt32Type>().values()),
            };
            Values::Dict(codes, strings(dictionary.values()).ok_or_else(unusable)?)
        }
        _ => Values::Str(strings(array).ok_or_else(unusable)?),
    };
    let validity = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => Some(null_bits(nulls).ok_or_else(unusable)?),
        None => None,
    };
    Ok(Column { values, validity })
}

fn boolean_bits(array: &BooleanArray) -> Option<Bits<'_>> {
    let bits = array.values();
    Bits::new(bits.values(), bits.offset(), bits.len())
}

fn null_bits(nulls: &NullBuffer) -> Option<Bits<'_>> {
    Bits::new(nulls.validity(), nulls.offset(), nulls.len())
}

fn strings(array: &dyn Array) -> Option<Strings<'_>> {
    if let Some(text) = array.as_string_view_opt() {
        let (views, _) = text.views().inner().as_slice().as_chunks::<16>();
        let buffers = text.data_buffers().iter().map(|buffer| buffer.as_slice()).collect();
        return Some(Strings::View { views, buffers });
    }
    if let Some(text) = array.as_string_opt::<i64>() {
        return Some(Strings::Offsets64(text.value_offsets(), text.value_data()));
    }
    let text = array.as_string_opt::<i32>()?;
    Some(Strings::Offsets32(text.value_offsets(), text.value_data()))
}

/// A stretch of rows in which no column changes its chunk, with the columns cut to it.
pub struct Piece<'a> {
    pub start: usize,
    pub rows: usize,
    /// Columns of one row are literals and stay whole.
    pub columns: Vec<Column<'a>>,
}

/// Cuts columns with different chunk layouts into pieces that have one layout.
pub fn pieces<'a>(columns: &'a [Chunked], rows: usize) -> Result<Vec<Piece<'a>>, Failure> {
    let mut views: Vec<Vec<Column<'a>>> = vec![];
    for chunked in columns {
        let chunks = chunked.chunks.iter().filter(|chunk| !chunk.is_empty());
        views.push(chunks.map(|chunk| column(&chunked.name, chunk)).collect::<Result<_, _>>()?);
    }
    let literal = |chunked: &Chunked| chunked.len() == 1 && rows != 1;
    let mut cuts = vec![0, rows];
    for chunked in columns.iter().filter(|c| !literal(c)) {
        if chunked.len() != rows {
            let message = format!("{} rows, expected {rows}", chunked.len());
            return Err(Failure::schema(&chunked.name, message));
        }
        cuts.extend(chunked.chunks.iter().scan(0, |end, chunk| {
            *end += chunk.len();
            Some(*end)
        }));
    }
    cuts.sort_unstable();
    cuts.dedup();
    let stretch = |start: usize, end: usize| -> Vec<Column<'a>> {
        let cut = |(chunked, views): (&Chunked, &Vec<Column<'a>>)| {
            let mut before = 0;
            for view in views {
                if literal(chunked) {
                    return view.clone();
                }
                if start < before + view.len() {
                    return view.slice(start - before, end - start);
                }
                before += view.len();
            }
            Column::null(end - start)
        };
        columns.iter().zip(&views).map(cut).collect()
    };
    let pairs = cuts.iter().zip(cuts.iter().skip(1));
    Ok(pairs.map(|(&a, &b)| Piece { start: a, rows: b - a, columns: stretch(a, b) }).collect())
}

/// A dictionary field that Polars reads as an Enum. It knows the categories by metadata, whose
/// name changed with version 1.32: both are given.
pub fn enum_field<'a>(
    name: &str,
    key: DataType,
    names: impl IntoIterator<Item = &'a str>,
) -> Field {
    let values: String = names.into_iter().map(|n| format!("{};{n}", n.len())).collect();
    let metadata = ["_PL_ENUM_VALUES", "_PL_ENUM_VALUES2"].map(|k| (k.into(), values.clone()));
    let kind = DataType::Dictionary(Box::new(key), Box::new(DataType::LargeUtf8));
    Field::new(name, kind, true).with_metadata(HashMap::from(metadata))
}

/// Names of an Enum as an array.
pub fn enum_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Arc<LargeStringArray> {
    Arc::new(LargeStringArray::from_iter_values(names))
}

/// An Enum column: each code, also that of a null, counts into `names`.
pub fn enum_array<T: ArrowDictionaryKeyType>(
    codes: PrimitiveArray<T>,
    names: &Arc<LargeStringArray>,
) -> Result<ArrayRef, Failure> {
    let codes_fit = names.len().checked_sub(1).map_or(codes.is_empty(), |last| {
        let last = T::Native::usize_as(last);
        // A fold without an early exit: as many codes at a time as a register holds.
        !codes.values().iter().fold(false, |beyond, code| beyond | code.is_gt(last))
    });
    if !codes_fit {
        return Err(Failure::internal("a code has no name"));
    }
    let names = Arc::<LargeStringArray>::clone(names);
    // SAFETY: no code is above the last name's; `usize_as` cuts `last` only to what codes can be.
    Ok(Arc::new(unsafe { DictionaryArray::<T>::new_unchecked(codes, names) }))
}

/// Columns on their way to Polars.
pub fn export(fields: Vec<Field>, columns: Vec<ArrayRef>) -> Result<ArrowStream, Failure> {
    let schema = Arc::new(Schema::new(fields));
    let batch = batch(&schema, columns)?;
    Ok(ArrowStream { schema, batches: vec![batch] })
}

/// One column in chunks on its way to Polars.
pub fn export_chunks(field: Field, chunks: Vec<ArrayRef>) -> Result<ArrowStream, Failure> {
    let schema = Arc::new(Schema::new(vec![field]));
    let batches = chunks.into_iter().map(|chunk| batch(&schema, vec![chunk]));
    Ok(ArrowStream { batches: batches.collect::<Result<_, _>>()?, schema })
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch, Failure> {
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|_| Failure::internal("a result column does not fit its own schema"))
}

/// A result on its way to Polars, over the Arrow PyCapsule interface.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct ArrowStream {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

#[pymethods]
impl ArrowStream {
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // a consumer may ask; this producer has one schema
        let batches: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        let batches = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}
