//! What is known of how an answer came about, and goes with its body.

use super::Body;
use crate::Provenance;

/// How an answer came about: told of it alone, or what is told of all of its kind, which costs no
/// allocation.
pub(super) enum Told {
    Own(Box<Provenance>),
    Usual(&'static Provenance),
}

impl Body {
    /// Says how the answer came about.
    pub fn came_from(&mut self, provenance: Provenance) {
        self.provenance = Some(Told::Own(Box::new(provenance)));
    }

    /// Says that the answer came about as others did.
    pub fn came_as_usual(&mut self, provenance: &'static Provenance) {
        self.provenance = Some(Told::Usual(provenance));
    }

    /// How the answer came about, if anybody said.
    pub fn provenance(&self) -> Option<&Provenance> {
        match self.provenance.as_ref()? {
            Told::Own(provenance) => Some(provenance),
            Told::Usual(provenance) => Some(provenance),
        }
    }

    /// Adds to what is said of how the answer came about.
    pub fn add_provenance(&mut self, add: impl FnOnce(&mut Provenance)) {
        let mut own = match self.provenance.take() {
            Some(Told::Own(provenance)) => provenance,
            Some(Told::Usual(provenance)) => Box::new(provenance.clone()),
            None => Box::default(),
        };
        add(&mut own);
        self.provenance = Some(Told::Own(own));
    }
}
