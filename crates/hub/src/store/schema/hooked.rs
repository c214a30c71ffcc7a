//! For which room a hook is: its name may be another's by now.

/// What a store has more than one of the format before. A hook goes whose room was deleted, also if there is
/// one of that name since.
pub(super) const STEP: &str = "
    -- Of a hook.
    ALTER TABLE sessions ADD COLUMN room INTEGER;
    UPDATE sessions SET room = (
        SELECT rooms.id FROM rooms JOIN log ON log.seq = rooms.id
        WHERE rooms.name = substr(device, 6, instr(substr(device, 6), ' ') - 1)
            AND log.at <= sessions.since
    ) WHERE device GLOB 'hook *';
    DELETE FROM sessions WHERE room IS NULL AND device GLOB 'hook *';
    CREATE INDEX sessions_room ON sessions (room) WHERE room IS NOT NULL;
";
