//! Gathered values turned into Arrow arrays, without a copy.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, DataType, Field, FieldRef};
use arrow::error::ArrowError;

use crate::rows::column::{ColumnBuffer, Texts, Values, first_end};
use crate::rows::schema::UTC;

/// Takes the values out of a column that has the type of the field, and leaves it empty.
pub(super) fn take_array(column: &mut ColumnBuffer, field: &Field) -> Result<ArrayRef, ArrowError> {
    let len = column.len();
    let nulls = column.take_validity();
    Ok(match &mut column.values {
        Values::Boolean(values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
        Values::Int32(values) => Arc::new(Int32Array::try_new(take_values(values), nulls)?),
        Values::Date(values) => Arc::new(Date32Array::try_new(take_values(values), nulls)?),
        Values::Int64(values) => Arc::new(Int64Array::try_new(take_values(values), nulls)?),
        Values::Float64(values) => Arc::new(Float64Array::try_new(take_values(values), nulls)?),
        Values::Timestamp(values) | Values::LocalTimestamp { values, .. } | Values::Epoch { values, .. } => {
            Arc::new(TimestampMicrosecondArray::try_new(take_values(values), nulls)?.with_timezone(UTC))
        }
        Values::Decimal {
            values,
            precision,
            scale,
        } => {
            let scale = i8::try_from(*scale).map_err(|_| unlike(field))?;
            let array = Decimal128Array::try_new(take_values(values), nulls)?;
            Arc::new(array.with_precision_and_scale(*precision, scale)?)
        }
        Values::String(texts) | Values::Json(texts) => texts.take_array(nulls)?,
        Values::List { ends, item } => {
            let DataType::List(item_field) = field.data_type() else {
                return Err(unlike(field));
            };
            let items = take_array(item, item_field)?;
            Arc::new(ListArray::try_new(
                Arc::clone(item_field),
                take_ends(ends),
                items,
                nulls,
            )?)
        }
        Values::Struct(columns) => {
            let DataType::Struct(fields) = field.data_type() else {
                return Err(unlike(field));
            };
            let arrays = columns
                .iter_mut()
                .zip(fields)
                .map(|(column, field): (_, &FieldRef)| take_array(column, field));
            let arrays = arrays.collect::<Result<_, _>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), arrays, nulls, len)?)
        }
    })
}

impl Texts {
    pub(super) fn take_array(&mut self, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes.reserve(bytes.len());
        let array = StringArray::try_new(take_ends(&mut self.ends), Buffer::from_vec(bytes), nulls)?;
        Ok(Arc::new(array))
    }
}

/// Takes the values and leaves room for as many: the next batch will be like this one.
fn take_values<V: ArrowNativeType>(values: &mut Vec<V>) -> ScalarBuffer<V> {
    let room = Vec::with_capacity(values.len());
    ScalarBuffer::from(std::mem::replace(values, room))
}

fn take_ends(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let room = first_end(ends.len());
    OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(ends, room)))
}

fn unlike(field: &Field) -> ArrowError {
    ArrowError::SchemaError(format!(
        "column `{}` was gathered as another type than {}",
        field.name(),
        field.data_type()
    ))
}
