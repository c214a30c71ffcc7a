//! Protocols as functions from bytes to values and back. No socket, no clock, no task.
