-- The state of one source and output. Times are milliseconds since 1970, bodies are zstd.
CREATE TABLE api_schema (
  endpoint   TEXT PRIMARY KEY,
  fetched_at INTEGER NOT NULL,
  definition BLOB NOT NULL              -- the schema definition language, zstd
) STRICT;

CREATE TABLE run (
  id          INTEGER PRIMARY KEY,
  query       TEXT NOT NULL,            -- the query file's name
  name        TEXT NOT NULL,            -- the run's id as people see it
  fingerprint TEXT NOT NULL,            -- of the plan; another one cannot go on with this run
  format      TEXT NOT NULL,
  stage       TEXT NOT NULL CHECK (stage IN ('open', 'publishing', 'published')),
  started_at  INTEGER NOT NULL,
  elapsed     INTEGER NOT NULL DEFAULT 0,  -- milliseconds during which the export ran
  through     INTEGER NOT NULL DEFAULT 0,  -- responses up to this sequence number are in parts
  responses   INTEGER NOT NULL DEFAULT 0,
  rows        INTEGER NOT NULL DEFAULT 0,
  requests    INTEGER NOT NULL DEFAULT 0,
  retries     INTEGER NOT NULL DEFAULT 0,
  throttles   INTEGER NOT NULL DEFAULT 0,
  bytes       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX unfinished_run ON run (query) WHERE stage <> 'published';

-- The values of the variable that a query is run for, once for each.
CREATE TABLE member (
  run     INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  number  INTEGER NOT NULL,
  value   TEXT NOT NULL,                -- JSON
  open    INTEGER NOT NULL,             -- pages still to be read
  rows    INTEGER NOT NULL DEFAULT 0,
  nulls   INTEGER NOT NULL DEFAULT 0,   -- fields of the query root that are null, and not by an error
  failure TEXT,                         -- why it failed
  flaw    TEXT,                         -- what is lacking of it
  stage   TEXT NOT NULL GENERATED ALWAYS AS
    (CASE WHEN failure IS NOT NULL THEN 'failed' WHEN open > 0 THEN 'open' WHEN flaw IS NOT NULL THEN 'incomplete'
     ELSE 'done' END),
  PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- Pages still to be read.
CREATE TABLE task (
  run        INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  id         INTEGER NOT NULL,
  connection INTEGER,                   -- of the plan; NULL for the first pages of everything
  root       INTEGER,                   -- the field of the query root that is asked for by itself, if it is
  member     INTEGER,                   -- what it is asked for, in a run for each value of a variable
  depth      INTEGER NOT NULL,          -- row fields above the connection
  parent     TEXT,                      -- the _id of the row that holds the connection, or the member's name
  address    TEXT NOT NULL,             -- JSON: how that row is asked for again, and what it is known by
  position   TEXT,                      -- JSON: a cursor, a page, an offset, a key; NULL for a first page
  before     INTEGER NOT NULL,          -- rows of the connection before this page
  size       INTEGER,                   -- rows to ask for, where that must not change
  expected   INTEGER,                   -- rows that it must have, where another task follows the connection to its end
  pages      INTEGER NOT NULL,          -- pages followed so far, and one of their cursors: tells cursors that go
  landmark   TEXT,                      -- round in a circle
  stale      INTEGER NOT NULL,          -- pages in a row with nothing but rows that came before
  empty      INTEGER NOT NULL,          -- pages in a row without any row
  instance   INTEGER NOT NULL,          -- tells the connections of a run apart, each with the row that holds it
  restart    TEXT,                      -- JSON: how far it was read when it was begun again
  total      INTEGER,                   -- rows of the connection, as the page before said
  is_waiting INTEGER NOT NULL,          -- not in the memory of the engine
  PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_task ON task (run, depth DESC, id) WHERE is_waiting;

-- Responses whose rows are not yet in a finished part.
CREATE TABLE response (
  run         INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  sequence    INTEGER NOT NULL,
  slots       TEXT NOT NULL,            -- JSON: the tasks that it answers, in the order of its root fields
  skips       TEXT NOT NULL,            -- JSON: the ordinals of rows to be left out, by table
  received_at INTEGER NOT NULL,
  body        BLOB NOT NULL,
  PRIMARY KEY (run, sequence)
) STRICT;

-- What came of requests that are asked for in pieces, until all of it is there.
CREATE TABLE piece (
  run          INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  first_task   INTEGER NOT NULL,        -- tells the requests apart: no task is in two of them at once
  text_hash    TEXT NOT NULL,           -- of what was asked, in hexadecimal digits
  tasks        TEXT NOT NULL,           -- JSON: the tasks of the request, each with the size of its page
  inline_sizes TEXT NOT NULL,           -- JSON: the sizes of first pages within the pages of their parents
  attempts     INTEGER NOT NULL,
  retries      INTEGER NOT NULL,
  throttles    INTEGER NOT NULL,
  body         BLOB NOT NULL,
  PRIMARY KEY (run, first_task, text_hash)
) STRICT;

-- What the rows of connections that go on are told by when they come again.
CREATE TABLE seen (
  run      INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  instance INTEGER NOT NULL,            -- as in task
  bucket   INTEGER NOT NULL,            -- the first byte of the hashes, modulo 64
  row_keys BLOB NOT NULL                -- hashes of 16 bytes, one after the other
) STRICT;
CREATE INDEX seen_bucket ON seen (run, instance, bucket);

-- How far each connection was read, over all rows that hold one.
CREATE TABLE tally (
  run        INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  connection INTEGER NOT NULL,
  opened     INTEGER NOT NULL,
  rows       INTEGER NOT NULL,
  repeated   INTEGER NOT NULL,          -- rows that came again
  said       INTEGER NOT NULL,          -- ended since the API said so
  total      INTEGER NOT NULL,          -- since all rows of the total were there
  empty      INTEGER NOT NULL,          -- since the page behind was empty
  absent     INTEGER NOT NULL,          -- null: no rows
  suspect    INTEGER NOT NULL,          -- may be cut off
  lost       INTEGER NOT NULL,          -- could not be read on
  PRIMARY KEY (run, connection)
) STRICT, WITHOUT ROWID;

-- What earlier runs showed of how many rows the connections hold.
CREATE TABLE learnt (
  query      TEXT NOT NULL,
  connection TEXT NOT NULL,             -- its path
  fan_out    TEXT NOT NULL,             -- JSON
  learnt_at  INTEGER NOT NULL,
  PRIMARY KEY (query, connection)
) STRICT, WITHOUT ROWID;

-- Finished output files, in the staging folder until they are published.
CREATE TABLE part (
  run        INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  table_name TEXT NOT NULL,
  file       TEXT NOT NULL,
  rows       INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  PRIMARY KEY (run, table_name, file)
) STRICT, WITHOUT ROWID;

-- What keeps a run from being complete. Beyond a number of texts all others are counted together, under an empty one.
CREATE TABLE flaw (
  run         INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  text        TEXT NOT NULL,
  occurrences INTEGER NOT NULL,
  PRIMARY KEY (run, text)
) STRICT, WITHOUT ROWID;
