//! By whom somebody is invited, and when: who was away is told so, too.

/// What a store has more than one of the format before.
pub(super) const STEP: &str = "
    ALTER TABLE invited ADD COLUMN by INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE invited ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
    -- Who invited somebody twice did so the second time.
    UPDATE invited SET (by, at) = (
        SELECT log.by, log.at FROM log
        WHERE log.room = invited.room AND deed = 'invite' AND about = invited.account
        ORDER BY seq DESC LIMIT 1
    ) WHERE EXISTS (
        SELECT 1 FROM log
        WHERE log.room = invited.room AND deed = 'invite' AND about = invited.account
    );
";
