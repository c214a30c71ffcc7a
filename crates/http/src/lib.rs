//! HTTP: serving a connection, and what answers a request.
