//! What those who call at a listener meet.

use std::sync::Arc;

use relais_http::DynHandler;
use relais_net::{DynDatagramService, DynService};

/// What those who call at a listener meet.
#[derive(Clone, Debug)]
pub(crate) enum Meets {
    /// HTTP.
    Http(Arc<dyn DynHandler>),
    /// Something else, over a stream.
    Stream(Arc<dyn DynService>),
    /// Something else, over datagrams.
    Datagrams(Arc<dyn DynDatagramService>),
}
