//! Which devices last while they are connected: nobody was told what would log them in again. And when an
//! account was seen last, of which such devices were all there was.

/// What a store has more than one of the format before. Who typed was not told its token; what is called as its
/// devices are, and never came back, is one.
pub(super) const STEP: &str = "
    ALTER TABLE sessions ADD COLUMN passing INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE accounts ADD COLUMN seen INTEGER;
    UPDATE sessions SET passing = 1 WHERE room IS NULL AND seen = since AND (
        device = 'text'
        OR device GLOB 'text ?*' AND substr(device, 6) NOT GLOB '*[^0-9a-f:.]*'
    );
    CREATE INDEX sessions_passing ON sessions (account, name) WHERE passing = 1;
";
