//! Whether something happened in a room but that somebody came and left.

/// What a store has more than one of the format before.
pub(super) const STEP: &str = "
    -- The first such entry.
    ALTER TABLE rooms ADD COLUMN used INTEGER;
    UPDATE rooms SET used = (
        SELECT seq FROM log INDEXED BY log_seen
        WHERE room = rooms.id AND deed <> 'read' AND deed NOT IN ('create', 'join', 'part')
        ORDER BY seq LIMIT 1
    );
";
