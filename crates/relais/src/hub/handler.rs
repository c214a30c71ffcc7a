//! From a planned hub to what callers meet.

use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use relais_http::DynHandler;
use relais_hub::{
    Asker, Calculator, ClearPasswords, Closing, DatagramForm, Door, Hub, Lang, Limits, NoValue,
    Options, Registration,
};
use relais_net::{
    Conn, DatagramService, Datagrams, Drain, Endpoint, Fault, Scheme, Service, Worked,
};
use relais_talk::calc;
use relais_tap::Tap;
use rustix::rand::{GetRandomFlags, getrandom};
use tracing::warn;

use super::{Messaging, page, table};
use crate::{
    clock,
    complaint::{KeyPath, Problem, Wrong},
    listen::calculating,
    meets::Meets,
    spelling::Size,
};

/// A hub that runs.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    served: Arc<Served>,
    /// What those meet who call over HTTP.
    door: Arc<dyn DynHandler>,
}

#[derive(Debug)]
struct Served(Hub);

/// How many events may wait for who watches flows.
const EVENTS_MAX: usize = 1_024;

/// Why the hub at `key`, which runs, does not run as it is said now.
pub(crate) fn changed(key: &KeyPath) -> Problem {
    let what = "a hub that runs was changed";
    key.wrong(Wrong::expected(what, "the same as before").hint("a restart changes it"))
}

impl Made {
    /// Opens the hub at `key`.
    ///
    /// # Errors
    ///
    /// If its store cannot be had, or a thread of its own.
    pub(crate) fn of(messaging: &Messaging, key: &KeyPath) -> Result<Self, Problem> {
        let hub = opened(&messaging.store, options(messaging));
        let hub = hub.map_err(|wrong| key.key("store").wrong(wrong))?;
        if let Some(warning) = open_to_others(&messaging.store) {
            warn!("{warning}");
        }
        let page = page::open().map_err(|error| key.wrong(Wrong::from_error(&error)))?;
        let door = Door::new(hub.clone(), messaging.origins.clone(), page);
        Ok(Self { served: Arc::new(Served(hub)), door: Arc::new(door) })
    }

    /// The hub, for who looks after it.
    pub(crate) fn hub(&self) -> &Hub {
        &self.served.0
    }

    /// Closes its store.
    pub(crate) fn end(&self) -> Closing {
        self.served.0.begin_to_close()
    }

    /// What those meet who call at `on`.
    pub(crate) fn meets(&self, on: &Endpoint) -> Meets {
        match on.scheme {
            Scheme::Http | Scheme::Https => Meets::Http(Arc::clone(&self.door)),
            Scheme::Udp => Meets::Datagrams(self.served.clone()),
            _ => Meets::Stream(self.served.clone()),
        }
    }
}

/// Opens the hub whose store is in `file`, for who looks after it: nobody calls.
///
/// # Errors
///
/// If the store cannot be had, or a hub that runs has it.
pub(crate) fn at_rest(file: &Path) -> Result<Hub, Wrong> {
    let options = Options {
        server: String::new(),
        lang: Lang::En,
        registration: Registration::Closed,
        clear_passwords: ClearPasswords::Refused,
        datagrams: DatagramForm::Sealed,
        limits: Limits::default(),
        tap: Tap::new(1),
        clock: clock::now,
        random,
        calculator: None,
    };
    opened(file, options)
}

/// What is told of a store that others on this machine may read, or write to.
fn open_to_others(file: &Path) -> Option<String> {
    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o777;
    let file = file.display();
    let text = format!(
        "{file:?} has all that is said at the hub, and is open to others, as what SQLite makes beside it \
         is: mode {mode:03o}"
    );
    (mode & 0o077 != 0).then_some(text)
}

fn opened(file: &Path, options: Options) -> Result<Hub, Wrong> {
    if let Some(wrong) = misplaced(file) {
        return Err(wrong);
    }
    Hub::open(file, options).map_err(|error| Wrong::from_error(&error))
}

/// What is wrong with `file` as a store, wherever the system would fail over it.
fn misplaced(file: &Path) -> Option<Wrong> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let wrong = if file.is_dir() {
        let what = format!("{:?} is a folder", file.display());
        Wrong::expected(what, "a file of a hub, there or new, e.g. hub.db")
    } else {
        let folder = folder.filter(|folder| is_nowhere(folder))?;
        Wrong::expected(format!("there is no folder {:?}", folder.display()), "one that there is")
    };
    Some(wrong.at_home(file))
}

/// Whether there is nothing at `path`, as far as it can be told: who may not look there does not know.
pub(crate) fn is_nowhere(path: &Path) -> bool {
    match path.try_exists() {
        Ok(is_there) => !is_there,
        Err(error) => error.kind() == ErrorKind::NotADirectory,
    }
}

fn options(messaging: &Messaging) -> Options {
    let Messaging { message_max: Size(message_max), burst, messages_a_second, .. } = *messaging;
    let limits = Limits {
        body_bytes_max: usize::try_from(message_max).unwrap_or(usize::MAX),
        burst,
        messages_a_second,
        ..Limits::default()
    };
    Options {
        server: concat!("relais/", env!("CARGO_PKG_VERSION")).to_owned(),
        lang: match messaging.lang {
            table::Lang::En => Lang::En,
            table::Lang::Fr => Lang::Fr,
        },
        registration: match messaging.registration {
            table::Registration::Open => Registration::Open,
            table::Registration::Invitation => Registration::Invitation,
            table::Registration::Closed => Registration::Closed,
        },
        clear_passwords: if messaging.clear_passwords {
            ClearPasswords::Taken
        } else {
            ClearPasswords::Refused
        },
        datagrams: match messaging.udp {
            table::Form::Sealed => DatagramForm::Sealed,
            table::Form::Mac => DatagramForm::Readable,
        },
        limits,
        tap: Tap::new(EVENTS_MAX),
        clock: clock::now,
        random,
        calculator: Some(Arc::new(Children(calculator()))),
    }
}

/// Fills `bytes` with what nobody can guess.
pub(crate) fn random(bytes: &mut [u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        // Only before a machine has any does the system wait, and else it gives all.
        let drawn = getrandom(&mut *rest, GetRandomFlags::empty()).unwrap_or(0);
        rest = &mut rest[drawn..];
    }
}

fn calculator() -> calc::Calculator {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    calc::Calculator::new(calculating::program(), cores)
}

/// The calculator's processes.
#[derive(Debug)]
struct Children(calc::Calculator);

impl Calculator for Children {
    fn calculate(
        &self,
        asker: Asker,
        worked: Arc<Worked>,
        expr: String,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<String, NoValue>> + Send + '_>> {
        Box::pin(async move {
            let asker = match asker {
                Asker::Somebody(client) => calc::Asker::Known(client),
                Asker::Nobody(client) => calc::Asker::Stranger(client),
            };
            self.0.work_out(asker, &worked, &expr).await.map_err(|why| match why {
                calc::NoValue::Late => NoValue::TooLong,
                calc::NoValue::Busy => NoValue::Busy,
                calc::NoValue::Wrong(why) => NoValue::Wrong(why),
            })
        })
    }
}

impl Service for Served {
    fn serve(&self, conn: Conn, drain: Drain) -> impl Future<Output = Result<(), Fault>> + Send {
        Service::serve(&self.0, conn, drain)
    }

    fn refusal(&self) -> &'static [u8] {
        self.0.refusal()
    }
}

impl DatagramService for Served {
    fn serve(
        &self,
        socket: Arc<Datagrams>,
        drain: Drain,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        DatagramService::serve(&self.0, socket, drain)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, time::Duration};

    use super::*;

    #[test]
    fn of_a_store_that_others_may_read_it_is_warned() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.db");
        at_rest(&file).unwrap().close(Duration::from_secs(5));
        assert_eq!(open_to_others(&file), None);
        for mode in [0o644, 0o640, 0o602] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert!(open_to_others(&file).unwrap().ends_with(&format!("is: mode {mode:03o}")));
        }
    }

    #[test]
    fn a_store_that_cannot_be_is_told_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        let what = |path: &Path| misplaced(path).map(|wrong| wrong.what);
        assert!(what(folder.path()).unwrap().ends_with(" is a folder"));
        let nowhere = folder.path().join("no/hub.db");
        assert!(what(&nowhere).unwrap().starts_with("there is no folder"));
        let in_a_file = folder.path().join("file/no/hub.db");
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(what(&in_a_file).unwrap().starts_with("there is no folder"));
        // Whether there is one cannot be known: what the system says of it is told.
        let unknown = folder.path().join("x".repeat(300)).join("hub.db");
        assert_eq!(what(&unknown), None);
        let told = at_rest(&unknown).unwrap_err().what;
        assert!(told.contains("name too long"), "{told}");
        assert_eq!((what(&folder.path().join("new.db")), what(Path::new("hub.db"))), (None, None));
        assert!(at_rest(&nowhere).is_err());
    }
}
