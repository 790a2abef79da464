/** The schema from before versions; `IF NOT EXISTS` accepts such a file. */
const FIRST = `
  CREATE TABLE IF NOT EXISTS undertakings (
    role TEXT NOT NULL, key TEXT NOT NULL, opened_at INTEGER NOT NULL, finished TEXT,
    PRIMARY KEY (role, key)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS steps (
    role TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, intent TEXT NOT NULL, outcome TEXT,
    PRIMARY KEY (role, key, name)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS notes (
    role TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS output (
    role TEXT NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL,
    stage TEXT NOT NULL, upto INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (role, key, seq)
  ) STRICT;
`;

/** Bytes of an undertaking's task output: live (`output`) and in the outcome of each run. */
export const LOG_BYTES = `(
  SELECT coalesce(sum(length(text)), 0) FROM output o
  WHERE o.role = undertakings.role AND o.key = undertakings.key
) + (
  SELECT coalesce(sum(length(outcome)), 0) FROM steps s
  WHERE s.role = undertakings.role AND s.key = undertakings.key AND json_type(outcome, '$.run.log') = 'text'
)`;

/** For pruning. Undertakings that finished earlier count from now, so that an update removes nothing at once. */
const SECOND = `
  ALTER TABLE undertakings ADD COLUMN finished_at INTEGER;
  -- Of a finished one: what is left of its logs.
  ALTER TABLE undertakings ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE undertakings
    SET finished_at = CAST(unixepoch('subsec') * 1000 AS INTEGER), log_bytes = ${LOG_BYTES}
    WHERE finished IS NOT NULL;
  CREATE INDEX unfinished ON undertakings (opened_at, key) WHERE finished IS NULL;
  CREATE INDEX finished_by_time ON undertakings (finished_at) WHERE finished IS NOT NULL;
  CREATE INDEX notes_by_key ON notes (role, key, at);
`;

export const journalMigrations: readonly string[] = [FIRST, SECOND];
