//! What members see of rooms is found by two tables, of which the small one takes what is new.

/// What a store has otherwise than of the format before: tables in the place of an index of the log. See
/// `seen.rs` of the store.
///
/// *Cost*: some ten seconds for ten million entries.
pub(super) const STEP: &str = "
    CREATE TABLE seen_before (
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        deed TEXT NOT NULL,
        redacted INTEGER NOT NULL,
        by INTEGER NOT NULL,
        PRIMARY KEY (room, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE seen_lately (
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        deed TEXT NOT NULL,
        redacted INTEGER NOT NULL,
        by INTEGER NOT NULL,
        PRIMARY KEY (room, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE VIEW seen AS SELECT * FROM seen_before UNION ALL SELECT * FROM seen_lately;
    INSERT INTO seen_before
        SELECT room, seq, deed, redacted, by FROM log INDEXED BY log_seen
        WHERE room IS NOT NULL AND deed <> 'read'
        ORDER BY room, seq;
    DROP INDEX log_seen;
";
