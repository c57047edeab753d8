//! The Arrow schema of a table.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::plan::{Column, ColumnType, Table};
use crate::schema::ScalarType;

/// The time zone of timestamp columns. The offset and not the name, as a name would need a time zone database.
pub(super) const UTC: &str = "+00:00";

/// The key of the field metadata that marks a text column as JSON, with the value `json`.
const TYPE_MARK: &str = "gqldump.type";

/// The Arrow schema of a table.
pub fn arrow_schema(table: &Table) -> SchemaRef {
    Arc::new(Schema::new(fields(&table.columns)))
}

/// The Arrow schema of every table of rejected rows: `_row` (the item's JSON text), `_reason`, and `_column`, which
/// is empty where the item as a whole is wrong.
pub fn rejects_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let columns = ["_row", "_reason", "_column"];
        Arc::new(Schema::new(
            columns.map(|name| Field::new(name, DataType::Utf8, false)).to_vec(),
        ))
    });
    Arc::clone(&SCHEMA)
}

/// Whether the texts of a column are JSON values.
pub fn is_json(field: &Field) -> bool {
    field.metadata().get(TYPE_MARK).is_some_and(|ty| ty == "json")
}

fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(field).collect()
}

fn field(column: &Column) -> Field {
    let field = Field::new(&column.name, data_type(&column.ty), column.nullable);
    if column.ty == ColumnType::Scalar(ScalarType::Json) {
        return field.with_metadata(HashMap::from([(TYPE_MARK.to_owned(), "json".to_owned())]));
    }
    field
}

fn data_type(ty: &ColumnType) -> DataType {
    let scalar = match ty {
        ColumnType::Scalar(scalar) => *scalar,
        ColumnType::List(item) => return DataType::List(Arc::new(field(item))),
        ColumnType::Struct(columns) => return DataType::Struct(fields(columns)),
    };
    match scalar {
        ScalarType::Boolean => DataType::Boolean,
        ScalarType::Int32 => DataType::Int32,
        ScalarType::Int64 => DataType::Int64,
        ScalarType::Float64 => DataType::Float64,
        ScalarType::String | ScalarType::Json => DataType::Utf8,
        // A scale is at most 38, and so fits the signed number that Arrow wants.
        ScalarType::Decimal { precision, scale } => DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(0)),
        ScalarType::Date => DataType::Date32,
        ScalarType::Timestamp
        | ScalarType::LocalTimestamp(_)
        | ScalarType::TimestampSeconds
        | ScalarType::TimestampMillis => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::TableName;

    fn column(name: &str, ty: ColumnType, nullable: bool) -> Column {
        Column {
            name: name.to_owned(),
            key: name.to_owned(),
            ty,
            nullable,
            null_text: None,
        }
    }

    #[test]
    fn types_and_nullability_go_all_the_way_down() {
        let decimal = ScalarType::Decimal {
            precision: 20,
            scale: 4,
        };
        let place = vec![
            column("line", ColumnType::Scalar(ScalarType::Int32), true),
            column("extra", ColumnType::Scalar(ScalarType::Json), false),
        ];
        let places = ColumnType::List(Box::new(column("item", ColumnType::Struct(place), false)));
        let table = Table {
            name: TableName::new("t").unwrap(),
            columns: vec![
                column("_id", ColumnType::Scalar(ScalarType::String), false),
                column("price", ColumnType::Scalar(decimal), true),
                column("seen", ColumnType::Scalar(ScalarType::TimestampMillis), true),
                column("places", places, true),
            ],
        };
        let extra = HashMap::from([("gqldump.type".to_owned(), "json".to_owned())]);
        let place = DataType::Struct(Fields::from(vec![
            Field::new("line", DataType::Int32, true),
            Field::new("extra", DataType::Utf8, false).with_metadata(extra),
        ]));
        let expected = Schema::new(vec![
            Field::new("_id", DataType::Utf8, false),
            Field::new("price", DataType::Decimal128(20, 4), true),
            Field::new(
                "seen",
                DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
                true,
            ),
            Field::new(
                "places",
                DataType::List(Arc::new(Field::new("item", place, false))),
                true,
            ),
        ]);
        assert_eq!(*arrow_schema(&table), expected);
    }
}
