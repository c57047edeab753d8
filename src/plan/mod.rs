mod table;
pub use table::{
    AncestorField, AncestorRole, Cell, CellRole, Column, ColumnPlace, ColumnType, Items, Layout, RowId, RowLayout,
    RowsLayout, Table, TableName,
};
