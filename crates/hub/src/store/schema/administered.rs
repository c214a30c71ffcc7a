//! Accounts that administer, accounts and rooms that are deleted, and invitations.

/// What a store has more than one of the format before.
pub(super) const STEP: &str = "
    ALTER TABLE accounts ADD COLUMN admin INTEGER NOT NULL DEFAULT 0;
    -- Of an account that was deleted: whether what it said is taken out. The name stays, so that nobody
    -- else has it.
    ALTER TABLE accounts ADD COLUMN gone INTEGER;
    UPDATE accounts SET admin = 1 WHERE id = (SELECT min(id) FROM accounts);

    -- What is still to be taken out of the log, by and by: of an account (what = 0), of a room (1), or of an
    -- account the words that it looked out for, and no more (2).
    CREATE TABLE owed (
        what INTEGER NOT NULL,
        id INTEGER NOT NULL,
        -- Up to where in the log it is done.
        upto INTEGER NOT NULL,
        PRIMARY KEY (what, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE invitations (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        since INTEGER NOT NULL,
        -- After this it is of no use; for good without.
        until INTEGER,
        -- How many accounts may be made with it yet.
        uses INTEGER NOT NULL,
        -- Where who comes in by it is from the first.
        room INTEGER
    ) STRICT, WITHOUT ROWID;

    -- With who is deleted, and with a room, goes what clients called what was forgotten.
    CREATE INDEX forgotten_by ON forgotten (by);
    CREATE INDEX forgotten_room ON forgotten (room);
";
