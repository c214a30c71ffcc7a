//! What clients ask and are told, whatever door they come through.

mod code;
mod request;
mod told;

pub use self::{
    code::{Code, Refusal},
    request::{Ask, EventsBy, Page, Place, Proof, Request, Resume, Secret},
    told::{Answer, Event, Gap, Held, Listed, Ticket, Told, Where},
};
