//! Answers of HTTP/1, read by who asked: heads, bodies, trailers ([RFC 9112 §4, §6, §7]).
//!
//! Functions from bytes to values for a client of our own. It reads into a buffer and calls
//! [`HeadReader::read`] until there is a head; the bytes behind it go through a [`BodyDecoder`], which
//! says what of them is content. Nothing is copied: fields and content are told as places in the
//! buffer.
//!
//! As strict as the [guard](super::Guard) is with requests, since what is passed on is the answer as
//! it was read here, and the next one on the connection starts where this one is thought to end. A
//! server may send bare LFs, folded lines or a length twice ([§2.2], [§5.2], [§6.3]), and a
//! client may put up with them; who stands between others gives up the connection.
//!
//! [RFC 9112 §4, §6, §7]: https://www.rfc-editor.org/rfc/rfc9112#section-4
//! [§2.2]: https://www.rfc-editor.org/rfc/rfc9112#section-2.2
//! [§5.2]: https://www.rfc-editor.org/rfc/rfc9112#section-5.2
//! [§6.3]: https://www.rfc-editor.org/rfc/rfc9112#section-6.3

mod bad;
mod body;
mod head;
mod lines;

#[cfg(test)]
mod tests;

pub use bad::BadHead;
pub use body::{AtClose, BodyDecoder, Decoded};
pub use head::{Asked, Framing, Head, HeadReader, Persistence};
pub use lines::Span;
