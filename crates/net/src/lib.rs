//! Sockets: where we listen, whom we call, and everything between the kernel and a protocol.
