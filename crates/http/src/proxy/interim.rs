//! Interim answers of an upstream, passed back while the answer is waited for (RFC 9110 §15.2).

use http::{Response, header::VIA};

use super::{edits::Edits, hops, way::Way};
use crate::{interim::Interim, spare, upstream::OnInterim};

/// Passes them back to a client.
#[derive(Debug)]
pub(crate) struct PassBack<'a> {
    way: &'a Way,
    /// Made to answers, and to these.
    edits: &'a Edits,
    /// `None` if it takes none.
    client: Option<Interim>,
}

impl<'a> PassBack<'a> {
    pub(crate) fn new(way: &'a Way, edits: &'a Edits, client: Option<Interim>) -> Self {
        Self { way, edits, client }
    }

    /// Who is to be told; nobody if the client takes none.
    pub(crate) fn if_taken(&self) -> Option<&dyn OnInterim> {
        self.client.is_some().then_some(self)
    }
}

impl OnInterim for PassBack<'_> {
    fn on_interim(&self, mut interim: Response<()>) {
        let Some(client) = &self.client else { return };
        let via = self.way.via(interim.version()).clone();
        let headers = interim.headers_mut();
        hops::strip(headers);
        headers.append(VIA, via);
        self.edits.apply(headers);
        client.send(&interim);
        spare::keep(interim.into_parts().0.headers);
    }
}
