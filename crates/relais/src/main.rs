//! The program. Reads, plans, binds, runs, and leaves in good order.

fn main() {}
