//! How long a connection may take for what it is asked.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;

use super::broken::Broken;

/// After how many of its steps SQLite asks whether it may go on: of an index of words, at every few pages
/// that are read, some 0.3 ms apart; while FTS5 looks for what has all of many words, too.
const STEPS: i32 = 50;

/// Interrupts what one connection does, when it has been long enough.
pub(super) struct Patience {
    go_on: Arc<Mutex<Option<GoOn>>>,
}

type GoOn = Box<dyn FnMut() -> bool + Send>;

impl Patience {
    /// Endless, but for work that is [bounded](Self::bound).
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub(super) fn with(conn: &mut Connection) -> Result<Self, Broken> {
        let go_on = Arc::new(Mutex::new(None::<GoOn>));
        let asked = Arc::clone(&go_on);
        let is_over = move || {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.as_mut().is_some_and(|go_on| !go_on())
        };
        conn.progress_handler(STEPS, Some(is_over))?;
        Ok(Self { go_on })
    }

    /// Does `work` for as long as it may `go_on`, which is asked again and again: what the connection
    /// does then fails as interrupted.
    pub(super) fn bound<T>(
        &self,
        go_on: impl FnMut() -> bool + Send + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        self.set(Some(Box::new(go_on)));
        let _bounded = Bounded(self);
        work()
    }

    fn set(&self, go_on: Option<GoOn>) {
        *self.go_on.lock().unwrap_or_else(PoisonError::into_inner) = go_on;
    }
}

/// While it is there, patience has an end; endless again also where the work panicked.
struct Bounded<'p>(&'p Patience);

impl Drop for Bounded<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Patience").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};

    use super::*;

    #[test]
    fn work_that_panics_leaves_endless_patience() {
        let mut conn = Connection::open_in_memory().unwrap();
        let patience = Patience::with(&mut conn).unwrap();
        let count = || {
            let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 999)
                SELECT count(*) FROM n";
            conn.query_row(sql, [], |row| row.get::<_, i64>(0))
        };
        assert!(patience.bound(|| false, count).is_err());
        let work = || patience.bound(|| false, || panic!("a bug"));
        assert!(panic::catch_unwind(AssertUnwindSafe(work)).is_err());
        assert_eq!(count().unwrap(), 999);
    }
}
