//! Which form of a file is sent, and how its bytes are had: from memory, or from the file, which is
//! open meanwhile and counted for who asks.

use std::sync::Arc;

use relais_cache::StoredBody;
use relais_wire::accept::Coding;

use super::{
    Files,
    found::{Held, Source},
    packer::{Order, Outcome},
    ranges::Content,
    refusal::Refusal,
    reply::Asked,
    resource::{Choice, Offer, Resource},
    variant::{Kept, Variant},
};
use crate::{FileSpan, OpenFile};

impl Files {
    /// The form that is most welcome, made if need be.
    pub(super) async fn negotiate(
        &self,
        asked: &Asked<'_>,
        resource: &Resource,
        source: &mut Source,
    ) -> Result<Arc<Variant>, Refusal> {
        let coding = match resource.choose(asked.headers, Offer::All) {
            Choice::Have(variant) => return Ok(Arc::clone(variant)),
            Choice::Nothing => return Err(Refusal::NotAcceptable),
            Choice::Pack(coding) => coding,
        };
        let otherwise = match self.pack(asked, source, coding).await? {
            Outcome::Smaller(body, tag) => {
                return Ok(self.keep_packed(resource, coding, (body, tag)));
            }
            Outcome::Useless => {
                self.replace(&Arc::new(resource.without_packing()));
                Refusal::NotAcceptable
            }
            Outcome::Failed | Outcome::Crowded => Refusal::Busy,
        };
        match resource.choose(asked.headers, Offer::Ready) {
            Choice::Have(variant) => Ok(Arc::clone(variant)),
            Choice::Pack(_) | Choice::Nothing => Err(otherwise),
        }
    }

    /// Has `source` coded, unless who asks has too many files open: it stays open for as long as that
    /// takes, and counts for whoever asked first, whether he waits for it or not.
    async fn pack(
        &self,
        asked: &Asked<'_>,
        source: &mut Source,
        coding: Coding,
    ) -> Result<Outcome, Refusal> {
        let packer = self.packer.as_ref().ok_or(Refusal::Broken)?;
        let hold = match &mut source.held {
            Held::Static(_) => None,
            Held::Open(file) => {
                *file = self.places.place(file);
                let Some(hold) = self.places.hold(asked.client, file) else {
                    return Ok(Outcome::Crowded);
                };
                Some(hold)
            }
        };
        Ok(packer.pack(Order { source: source.clone(), coding, hold }).await)
    }

    /// The bytes of `variant` of the file `source`; `None` if it is a sidecar that changed, or a
    /// file that would have to stay open, and too many are.
    pub(super) fn content(
        &self,
        variant: &Variant,
        source: &Source,
        asked: &Asked<'_>,
    ) -> Option<Content> {
        let beside;
        let source = match &variant.sidecar {
            None => source,
            Some(sidecar) => {
                beside = self.tree.open_file(sidecar.at.as_bytes(), asked.now).ok()?;
                Some(&beside).filter(|beside| beside.stamp == sidecar.stamp)?
            }
        };
        match (&variant.kept, &source.held) {
            (Kept::Memory(body), _) => Some(Content::Memory(body.clone())),
            (Kept::Static(bytes), _) => Some(Content::Memory(StoredBody::Heap(bytes.clone()))),
            (Kept::Disk, Held::Open(file)) => {
                let whole = self.hold(asked, file)?;
                // Those who ask next may find it; what is beside it they look for anew.
                if variant.sidecar.is_none() {
                    self.lend(&whole);
                }
                Some(Content::File(whole))
            }
            (Kept::Disk, Held::Static(_)) => None,
        }
    }

    /// All of `file` for who asks; `None` if too many are open.
    fn hold(&self, asked: &Asked<'_>, file: &Arc<OpenFile>) -> Option<FileSpan> {
        let file = self.places.place(file);
        let whole = self.places.hold(asked.client, &file);
        if whole.is_none() && file.opened().is_some() {
            tracing::debug!(client = %asked.client, "too many files are open for one client");
        } else if whole.is_none() && self.hush.lets(asked.now) {
            tracing::warn!("too many files are open: answering 503");
        }
        whole
    }

    /// Keeps the file of `span` open for those who ask for it next, until it would be looked for anew
    /// anyway: so what was deleted takes no room on disk for longer than that.
    fn lend(&self, span: &FileSpan) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let Some(lent) = self.places.lend(span) else { return };
        let renew_after = self.limits.renew_after;
        runtime.spawn(async move {
            tokio::time::sleep(renew_after).await;
            drop(lent);
        });
    }
}
