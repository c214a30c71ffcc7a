//! What clients ask and are told, whatever door they come through.

mod asks;
mod code;
mod event;
mod named;
mod request;
mod told;

pub use self::{
    code::{Code, Refusal},
    event::{Event, Gap, Where},
    named::{EventsBy, Page, Place, Proof, Resume, Secret},
    request::{Ask, Request},
    told::{Answer, Held, InvitedBy, Listed, Ticket, Told},
};
