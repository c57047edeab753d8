"""Compares exported tables with the rows of the demo API, value by value.

The readers are pyarrow and Python's json, which share no code with the writer. Both outputs are of `queries/demo`:

    compare.py GQLDUMP PARQUET_OUTPUT NDJSON_OUTPUT
"""

import json
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timezone
from decimal import Context, Decimal, Inexact
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# Decimals are compared with all of their digits: one that would have to be rounded is an error.
EXACT = Context(prec=38, traps=[Inexact])

# Each table, the API's field that it is exported from, and the columns that are named otherwise there.
TABLES = {
    "audit_entries": ("auditEntries", {}),
    "events": ("events", {}),
    "findings": ("findings", {"cvss": "score"}),
    "groups": ("groups", {}),
    "organizations": ("organizations", {}),
    "vulnerabilities": ("vulnerabilities", {}),
}


def main(gqldump, parquet_output, ndjson_output):
    for table in TABLES:
        schema, parquet = read_parquet(Path(parquet_output, "demo", table, "latest"))
        ndjson = read_ndjson(Path(ndjson_output, "demo", table, "latest"), schema)
        truth = true_rows(gqldump, table, schema, parquet)
        check_ids(table, parquet)
        check_ids(table, ndjson)
        check_rows(f"{table}, Parquet", parquet, truth)
        check_rows(f"{table}, NDJSON", ndjson, truth)
        print(f"{table}: {len(truth):,} rows are the API's, in Parquet and in NDJSON")


def read_parquet(folder):
    """The schema of a table, and its rows."""
    table = pq.read_table([part_path(folder, part) for part in parts(folder)])
    return table.schema, [
        {field.name: of_arrow(field, row[field.name]) for field in table.schema} for row in table.to_pylist()
    ]


def read_ndjson(folder, schema):
    """The rows of a table whose columns have the types of `schema`."""
    rows = []
    for part in parts(folder):
        # Not `splitlines`, for which more characters end a line than for JSON.
        text = part_path(folder, part).read_text(encoding="utf-8")
        for line in text.split("\n")[:-1]:
            row = parse(line)
            assert list(row) == schema.names, f"{folder}: {list(row)}"
            rows.append({field.name: of_json(field, row[field.name]) for field in schema})
    return rows


def true_rows(gqldump, table, schema, exported):
    """The rows that a table must have, without the columns that the API's own rows have not."""
    connection, names = TABLES[table]
    answers = demo_rows(gqldump, connection)
    if table == "groups":
        answers = groups_of_one_organization(gqldump, answers, exported)
    fields = [field for field in schema if not is_added(field.name)]
    return [{field.name: of_json(field, answer[names.get(field.name, field.name)]) for field in fields} for answer in answers]


def groups_of_one_organization(gqldump, answers, exported):
    """The query asks for the groups of one organization only; how many it has, the API says as well."""
    [name] = {row["organization_name"] for row in exported}
    [organization] = [row for row in demo_rows(gqldump, "organizations") if row["name"] == name]
    assert len(exported) == organization["groupCount"], f"{len(exported)} groups of {organization}"
    ids = {row["id"] for row in exported}
    return [answer for answer in answers if answer["id"] in ids]


def demo_rows(gqldump, connection):
    output = subprocess.run([gqldump, "demo", "rows", connection], check=True, stdout=subprocess.PIPE).stdout
    return [parse(line) for line in output.decode("utf-8").split("\n")[:-1]]


def check_ids(table, rows):
    ids = {row["_id"] for row in rows}
    assert len(ids) == len(rows), f"{table}: rows share an `_id`"
    assert all(row["_id"] == row.get("id", row["_id"]) for row in rows), f"{table}: an `_id` is not the `id`"


def check_rows(what, rows, truth):
    """Equal rows may come several times; their order is not promised."""
    rows = [{name: value for name, value in row.items() if not is_added(name)} for row in rows]
    found, expected = Counter(map(repr, rows)), Counter(map(repr, truth))
    for text, count in (found - expected).items():
        raise AssertionError(f"{what}: {count} times too often: {text}")
    for text, count in (expected - found).items():
        raise AssertionError(f"{what}: lacking {count} times: {text}")


def is_added(column):
    return column == "_id" or column.startswith("organization_")


def parts(folder):
    manifest = json.loads((folder / "_manifest.json").read_text(encoding="utf-8"))
    assert manifest["complete"] and manifest["incomplete"] == [], manifest["incomplete"]
    [table] = manifest["tables"]
    return table["parts"]


def part_path(folder, part):
    return folder.resolve() / part["path"]


def parse(text):
    """JSON with every digit of its numbers."""
    return json.loads(text, parse_float=Decimal)


def is_json(field):
    return (field.metadata or {}).get(b"gqldump.type") == b"json"


def of_json(field, value):
    """A value of an answer, or of a line of NDJSON, in the form in which values are compared."""
    kind = field.type
    if value is None or is_json(field):
        return value
    if pa.types.is_list(kind):
        return [of_json(kind.value_field, item) for item in value]
    if pa.types.is_struct(kind):
        return {inner.name: of_json(inner, value.get(inner.name)) for inner in kind}
    if pa.types.is_decimal(kind):
        decimal = Decimal(value).quantize(Decimal(1).scaleb(-kind.scale), context=EXACT)
        # Parquet's decimals have no negative zero.
        return abs(decimal) if decimal.is_zero() else decimal
    if pa.types.is_floating(kind):
        return float(value)
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(timezone.utc).isoformat()
    if pa.types.is_date(kind):
        return date.fromisoformat(value).isoformat()
    return value


def of_arrow(field, value):
    """A value of a Parquet file in the same form."""
    kind = field.type
    if value is None:
        return value
    if is_json(field):
        return parse(value)
    if pa.types.is_list(kind):
        return [of_arrow(kind.value_field, item) for item in value]
    if pa.types.is_struct(kind):
        return {inner.name: of_arrow(inner, value[inner.name]) for inner in kind}
    if pa.types.is_timestamp(kind):
        return value.astimezone(timezone.utc).isoformat()
    if pa.types.is_date(kind):
        return value.isoformat()
    return value


if __name__ == "__main__":
    main(*sys.argv[1:])
