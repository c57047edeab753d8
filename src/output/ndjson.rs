//! How tables are written as NDJSON: every key in every row, JSON columns as JSON.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::FieldRef;
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
        let texts = array.as_string_opt::<i32>().filter(|_| is_json(field));
        Ok(texts.map(|texts| NullableEncoder::new(Box::new(JsonTexts(texts)), texts.nulls().cloned())))
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
