//! What rooms keep of those who left, and when members spoke last.

/// What a store has more than one of the format before.
pub(super) const STEP: &str = "
    -- As far as the room was slow then.
    ALTER TABLE members ADD COLUMN spoke INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE absent (
        room INTEGER NOT NULL,
        account INTEGER NOT NULL,
        role INTEGER NOT NULL,
        muted INTEGER NOT NULL,
        muted_until INTEGER,
        spoke INTEGER NOT NULL,
        -- When it counts no more; without, it does for good.
        ends INTEGER,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX absent_ends ON absent (room, ends) WHERE ends IS NOT NULL;
    CREATE INDEX absent_account ON absent (account);
    -- There was no bound.
    UPDATE rooms SET slow_seconds = 21600 WHERE slow_seconds > 21600;
";
