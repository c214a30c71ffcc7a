//! What time the clock said when it was believed last, and what was to end at a time, by when it was written.

/// What a store has more than one of the format before.
pub(super) const STEP: &str = "
    -- Without, as late as the log goes.
    ALTER TABLE progress ADD COLUMN believed_at INTEGER;
    CREATE INDEX log_timed ON log (at) WHERE deed IN ('ban', 'mute', 'quiet');
";
