//! What is said in datagrams, where no role has to look at it.

mod echo;

pub(crate) use echo::send_back;
