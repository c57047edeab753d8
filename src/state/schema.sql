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

-- Pages still to be read.
CREATE TABLE task (
  run        INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  id         INTEGER NOT NULL,
  connection INTEGER,                   -- of the plan; NULL for the first pages of everything
  cursor     TEXT,
  position   INTEGER NOT NULL,          -- rows of the connection before this page
  pages      INTEGER NOT NULL,          -- pages followed so far, and one of their cursors: tells cursors that go
  landmark   TEXT,                      -- round in a circle
  PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

-- Responses whose rows are not yet in a finished part.
CREATE TABLE response (
  run         INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  sequence    INTEGER NOT NULL,
  connection  INTEGER,
  position    INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  body        BLOB NOT NULL,
  PRIMARY KEY (run, sequence)
) STRICT;

-- Connections that were read to their end.
CREATE TABLE finished_connection (
  run        INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  connection INTEGER NOT NULL,
  rows       INTEGER NOT NULL,
  total      INTEGER,                   -- as the API told it
  PRIMARY KEY (run, connection)
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

-- What keeps a run from being complete.
CREATE TABLE flaw (
  run         INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
  text        TEXT NOT NULL,
  occurrences INTEGER NOT NULL,
  PRIMARY KEY (run, text)
) STRICT, WITHOUT ROWID;
