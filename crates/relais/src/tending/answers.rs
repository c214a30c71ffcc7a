//! What is answered to who looks after a hub, and why something is not done.

use relais_hub::{
    Lang,
    protocol::{Code, Refusal},
    store::Broken,
    words::sentence,
};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    task::{JoinError, spawn_blocking},
};

use crate::{complaint::Wrong, control::Answer};

/// What is done, in a few words; or why it is not.
pub(super) type Done = Result<String, Not>;

/// Where what is found goes, and who takes it.
#[derive(Clone, Debug)]
pub(super) struct Answers(pub(super) mpsc::Sender<Answer>);

/// Why something is not done, and with which exit code.
#[derive(Debug)]
pub(super) struct Not {
    pub(super) wrong: Wrong,
    pub(super) exit: u8,
}

impl Answers {
    /// Has something be taken. Whether who asked still does.
    pub(super) async fn give(&self, found: Value) -> bool {
        self.0.send(Answer::Found(found)).await.is_ok()
    }

    /// The same, on a thread of its own.
    pub(super) fn give_waiting(&self, found: Value) -> bool {
        self.0.blocking_send(Answer::Found(found)).is_ok()
    }
}

/// Reads on a thread of its own: nobody else waits for the disk.
pub(super) async fn on_a_thread<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Broken> + Send + 'static,
) -> Result<T, Not> {
    spawn_blocking(read).await.map_err(|error| broke_off(&error))?.map_err(|error| broken(&error))
}

/// Why the hub does not do what is asked about `what`.
pub(super) fn not(refusal: &Refusal, what: &str) -> Not {
    let wrong = match refusal.code {
        Code::AccountExists => {
            let what = format!("{what:?} is, or was, somebody's name");
            Wrong::expected(what, "a name that nobody had")
        }
        Code::NoSuchUser | Code::NoSuchRoom | Code::Forbidden | Code::BadField | Code::TooMany
            if !refusal.why.is_empty() =>
        {
            let wrong = Wrong::from_message(&refusal.why);
            match refusal.code {
                Code::NoSuchUser => wrong.hint("`relais hub user list` lists them"),
                Code::NoSuchRoom => wrong.hint("`relais hub room list` lists them"),
                Code::BadField if refusal.field == Some("invitation") => {
                    wrong.hint("`relais hub invite list` lists them")
                }
                _ => wrong,
            }
        }
        _ => Wrong { what: sentence(refusal, Lang::En), expected: None, hint: None },
    };
    let is_ours = matches!(
        refusal.code,
        Code::StoreFull | Code::Unavailable | Code::Internal | Code::Shutdown
    );
    Not { wrong, exit: if is_ours { 1 } else { 2 } }
}

pub(super) fn broken(error: &Broken) -> Not {
    let Wrong { what, .. } = Wrong::from_error(error);
    Not { wrong: Wrong { what, expected: None, hint: None }, exit: 1 }
}

pub(super) fn broke_off(error: &JoinError) -> Not {
    let what = format!("it broke off: {error}");
    Not { wrong: Wrong { what, expected: None, hint: None }, exit: 1 }
}
