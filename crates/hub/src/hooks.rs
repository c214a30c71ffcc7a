//! What a program says by a hook: a notice of the account that made it, behind the hook's name.

use std::{collections::VecDeque, future::poll_fn, sync::Arc, time::Duration};

use tokio::{sync::oneshot, time::timeout};

use crate::{
    desk::{Hooked, Order},
    hall::{ClientId, Hall},
    model::{Cid, Kind},
    outbox::Outbox,
    proof::TokenHash,
    protocol::{Answer, Ask, Code, Refusal, Told},
    shared::Shared,
    text,
};

/// How long the hub may take to write something down.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);

impl Shared {
    /// Says `text` by the hook whose token hashes to this. Gives what was written down, once that is
    /// committed.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchHook`], if there is no such hook; else why it may not be said.
    pub(crate) async fn say_by_hook(
        &self,
        hash: TokenHash,
        (text, cid): (&str, Option<Cid>),
    ) -> Result<Answer, Refusal> {
        // Looked at here, too: with a name before it there is always something.
        let text = text::body(text, &self.limits).map_err(of_text)?;
        let gone = || Refusal::of(Code::Shutdown);
        let (found, hook) = oneshot::channel();
        self.order(Order::Hooked { hash, found })?;
        let hook = hook.await.map_err(|_| gone())??;
        let Hooked { account, room, name } = hook.ok_or_else(|| Refusal::of(Code::NoSuchHook))?;
        let cid = cid.map(|key| hash.named(&key));
        let body = format!("[{name}] {text}");
        let ask = Ask::Message { to: room, kind: Kind::Notice, body, reply: None, cid };
        let hall = self.hall().await.map_err(|_| gone())?;
        let caller = Caller::enter(hall, self.limits.waiting_bytes_max);
        self.order(Order::Post { client: caller.client, account, hash, ask })?;
        let answer = timeout(WRITTEN_WITHIN, caller.answer()).await;
        answer.unwrap_or_else(|_| Err(Refusal::of(Code::Unavailable))).map_err(of_text)
    }
}

/// The same refusal, of what was posted: who posts a `text` knows no `body`.
fn of_text(refusal: Refusal) -> Refusal {
    match refusal.field {
        Some("body") => refusal.field("text"),
        _ => refusal,
    }
}

/// Who asks one thing and is gone.
struct Caller {
    hall: Arc<Hall>,
    client: ClientId,
    outbox: Arc<Outbox>,
}

impl Caller {
    fn enter(hall: Arc<Hall>, bytes_max: usize) -> Self {
        let outbox = Outbox::new(bytes_max);
        let client = hall.enter(Arc::clone(&outbox));
        Self { hall, client, outbox }
    }

    /// What it is answered.
    async fn answer(&self) -> Result<Answer, Refusal> {
        let mut taken = VecDeque::new();
        loop {
            poll_fn(|cx| self.outbox.poll_take(cx, &mut taken)).await;
            for spoken in taken.drain(..) {
                if let Told::Answer { answer, .. } = &spoken.told {
                    return answer.clone();
                }
            }
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.hall.leave(self.client.key);
    }
}
