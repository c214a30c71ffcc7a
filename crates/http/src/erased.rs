//! Handlers whose type is forgotten.
//!
//! Who forgets a handler's type has its code compiled where he stands. So it is done here, where
//! that is compiled to be fast: the program around it is compiled to be small.

use std::sync::Arc;

use crate::{
    Cached, Counted, Desk, DynHandler, Hosts, OwnNames, Purging,
    access_log::Logged,
    auth::Basic,
    block::Blocked,
    files::Files,
    forward::{Clients, Forward},
    proxy::{Edited, FieldNames, Proxy},
    sniff::Sniffed,
};

/// A handler of which only that is to be known.
pub trait Erase {
    /// The same, its type forgotten.
    fn erase(self) -> Arc<dyn DynHandler>;
}

type Any = Arc<dyn DynHandler>;

macro_rules! erase {
    ($($handler:ty),* $(,)?) => {
        $(impl Erase for $handler {
            // Inlined, it would be compiled with the caller.
            #[inline(never)]
            fn erase(self) -> Any {
                Arc::new(self)
            }
        })*
    };
}

/// A cache that can be looked after.
pub trait Looked {
    /// What can be asked of it.
    fn desk(&self) -> Arc<dyn Desk>;
}

macro_rules! look {
    ($($handler:ty),* $(,)?) => {
        $(impl Looked for Cached<$handler> {
            #[inline(never)]
            fn desk(&self) -> Arc<dyn Desk> {
                self.desk_of()
            }
        })*
    };
}

look![Proxy, Arc<Forward>];

erase![
    Any,
    Files,
    Hosts,
    Proxy,
    Arc<Forward>,
    Basic<Any>,
    Blocked<Any>,
    Clients<Any>,
    Counted<Cached<Proxy>>,
    Counted<Cached<Arc<Forward>>>,
    Edited<Any>,
    FieldNames<Any>,
    Logged<Any>,
    OwnNames<Any>,
    Purging<Any>,
    Sniffed<Any>,
];
