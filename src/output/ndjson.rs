//! How tables are written as NDJSON: every key in every row, JSON columns as JSON.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, LineDelimited, NullableEncoder, Writer};

use crate::rows::is_json;

/// A writer of one JSON object a line, nulls included.
pub(super) fn ndjson_writer<W: Write>(target: W) -> Writer<W, LineDelimited> {
    WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(EmbeddedJson))
        .build(target)
}

/// Has the texts of JSON columns written as they are, not as strings.
#[derive(Debug)]
struct EmbeddedJson;

impl EncoderFactory for EmbeddedJson {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let texts = array.as_string_opt::<i32>().filter(|_| is_json(value_field(field)));
        Ok(texts.map(|texts| NullableEncoder::new(Box::new(JsonTexts(texts)), texts.nulls().cloned())))
    }
}

/// The field of the values themselves: for those in a list, Arrow names the field of the list.
fn value_field(field: &FieldRef) -> &FieldRef {
    match field.data_type() {
        DataType::List(item) => value_field(item),
        _ => field,
    }
}

struct JsonTexts<'a>(&'a StringArray);

impl Encoder for JsonTexts<'_> {
    fn encode(&mut self, index: usize, target: &mut Vec<u8>) {
        // A line break can stand between two JSON values, where a space does as well, but never within a string.
        let bytes = self.0.value(index).bytes();
        target.extend(bytes.map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ListArray, RecordBatch};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{Field, Schema};

    use super::*;

    #[test]
    fn json_is_json_in_lists_of_lists_too() {
        let mark = [("gqldump.type".to_owned(), "json".to_owned())].into();
        let item = Arc::new(Field::new("item", DataType::Utf8, true).with_metadata(mark));
        let texts = StringArray::from(vec![Some(r#"{"a":1}"#), None, Some(r#""x""#)]);
        let inner = ListArray::new(item, OffsetBuffer::new(vec![0, 2, 3].into()), Arc::new(texts), None);
        let inner_field = Arc::new(Field::new("item", inner.data_type().clone(), true));
        let outer = ListArray::new(inner_field, OffsetBuffer::new(vec![0, 2].into()), Arc::new(inner), None);
        let schema = Schema::new(vec![Field::new("extras", outer.data_type().clone(), true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(outer)]).unwrap();
        let mut text = Vec::new();
        ndjson_writer(&mut text).write(&batch).unwrap();
        assert_eq!(text, b"{\"extras\":[[{\"a\":1},null],[\"x\"]]}\n");
    }
}
