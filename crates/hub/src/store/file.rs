//! The file: made, opened to write or to read, copied.

use std::{
    ffi::c_int,
    fs::{self, File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    ffi::{Error, SQLITE_BUSY},
    hooks::Wal,
};

use super::{
    broken::{Broken, failed},
    emptying::Emptying,
    gate::Gate,
    lives,
    lock::beside,
    schema,
};

/// What a committed entry outlives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// The loss of power: each commit waits for the disk.
    #[default]
    Full,
    /// The end of the process, however it comes. After a loss of power the last commits may be
    /// missing, and nothing else is.
    Normal,
}

/// How long another program's lock is waited for where nobody else waits meanwhile.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Statements that stay prepared.
const STATEMENTS: usize = 64;

/// Opens the one connection that writes; makes the file and its tables.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn open((file, gate): (&Path, &Arc<Gate>), sync: Sync) -> Result<Connection, Broken> {
    make(file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(file, flags)?;
    prepare(&conn)?;
    schema::migrate(&mut conn, file)?;
    let sync = match sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    // What is taken out is overwritten.
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {sync};
         PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = 8388608;
         PRAGMA cache_size = -16384;"
    ))?;
    empty_by_and_by(&mut conn, (file, gate))?;
    Ok(conn)
}

/// Has the log beside `file` be emptied by another thread, now and then.
fn empty_by_and_by(conn: &mut Connection, (file, gate): (&Path, &Arc<Gate>)) -> Result<(), Broken> {
    let mut emptying = Emptying::of(file, gate);
    Ok(conn.wal_hook(Some(move |wal: &mut Wal, pages| {
        emptying.committed(wal, pages);
        Ok(())
    }))?)
}

/// Empties all of the log beside `file` into it. If another thread is about that, it is waited for: SQLite
/// would not.
///
/// # Errors
///
/// [`Broken::Locked`], if somebody read from it for longer than there is patience; else the disk's.
pub(super) fn empty(
    conn: &mut Connection,
    (file, gate): (&Path, &Arc<Gate>),
    patience: Duration,
) -> Result<(), Broken> {
    conn.busy_timeout(patience)?;
    conn.wal_hook(None::<fn(&mut Wal, c_int) -> rusqlite::Result<()>>)?;
    let emptied = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    empty_by_and_by(conn, (file, gate))?;
    match emptied? {
        0 => Ok(()),
        // SQLite does not call that an error.
        _ => Err(rusqlite::Error::SqliteFailure(Error::new(SQLITE_BUSY), None).into()),
    }
}

/// Opens a connection that only reads.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn open_to_read(file: &Path) -> Result<Connection, Broken> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    prepare(&conn)?;
    conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;")?;
    Ok(conn)
}

/// Writes all that is committed to a new file, while others read and write. Who reads the copy has
/// all of it or, after an error, none. Its log goes on in a life of its own.
///
/// # Errors
///
/// [`Broken`]; [`Broken::Io`], if there is such a file.
pub(super) fn copy(conn: &Connection, to: &Path) -> Result<(), Broken> {
    let part = beside(to, ".part");
    // The name is taken first, and the copy takes its place.
    create(to).map_err(failed("making", to))?;
    let written = write_copy(conn, &part).and_then(|()| {
        fs::rename(&part, to).map_err(failed("renaming", &part))?;
        sync_folder(to)
    });
    if written.is_err() {
        // What stays of it is empty or incomplete; there is another error to tell of.
        let journal = beside(&part, "-journal");
        let _ = (fs::remove_file(&part), fs::remove_file(journal), fs::remove_file(to));
    }
    written
}

fn write_copy(conn: &Connection, part: &Path) -> Result<(), Broken> {
    // The one beside it first: what SQLite finds there it takes for its own.
    for left in [&beside(part, "-journal"), part] {
        match fs::remove_file(left) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(failed("removing", left)(error));
            }
            _ => {}
        }
    }
    // SQLite would make it for all to read, but fills an empty one.
    let file = create(part).map_err(failed("making", part))?;
    let Some(name) = part.to_str() else {
        return Err(failed("naming", part)(ErrorKind::InvalidFilename.into()));
    };
    conn.execute("VACUUM INTO ?1", [name])?;
    lives::begin(&Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE)?)?;
    file.sync_all().map_err(failed("writing", part))
}

/// A name is on disk once its folder is.
fn sync_folder(of: &Path) -> Result<(), Broken> {
    let folder = match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("writing", folder))
}

/// Makes the file, if it is not there: SQLite gives the files beside it the same mode.
fn make(file: &Path) -> Result<(), Broken> {
    match create(file) {
        Ok(_) => sync_folder(file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("making", file)(error)),
    }
}

/// Makes a file that nobody else reads: what is said in rooms is not for all, nor are passwords.
fn create(file: &Path) -> Result<File, std::io::Error> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

fn prepare(conn: &Connection) -> Result<(), Broken> {
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Views and triggers that somebody may have put into the file call no functions.
    conn.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_copy_that_fails_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut conn = Connection::open(folder.path().join("hub.db")).unwrap();
        conn.execute_batch(
            "CREATE TABLE log (seq); CREATE TABLE progress (last); INSERT INTO progress VALUES (1)",
        )
        .unwrap();
        let to = folder.path().join("copy.db");
        let journal = beside(&to, ".part-journal");
        // As a full disk leaves it.
        let fail = move || fs::write(&journal, "half").is_ok();
        conn.progress_handler(1, Some(fail)).unwrap();
        assert!(copy(&conn, &to).is_err());
        let left: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["hub.db"]);
        // Nor of one whose process was ended.
        conn.progress_handler(1, None::<fn() -> bool>).unwrap();
        fs::write(beside(&to, ".part-journal"), "half").unwrap();
        fs::write(beside(&to, ".part"), "half").unwrap();
        copy(&conn, &to).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }
}
