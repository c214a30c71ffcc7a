//! How much is done for who shows a password, and how often one may be wrong.

use std::time::Duration;

/// How much work [`Basic`](super::Basic) takes on.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many passwords are hashed at once. Each takes the memory that its hash asks for: 19 MiB
    /// for those of [`hash_password`](super::hash_password).
    pub hashing_max: usize,
    /// How many more may wait for that. A newcomer beyond is answered with 503.
    pub waiting_max: usize,
    /// How many verified credentials are remembered.
    pub verified_max: usize,
    /// How long they are after they were given last.
    pub verified_life: Duration,
    /// How often in a minute a client may be wrong as one user.
    pub failures_a_minute_max: u32,
    /// How often in a minute a client may be wrong as whomever; but who calls over a Unix socket, where
    /// clients cannot be told apart.
    pub failures_a_client_max: u32,
    /// How often in a minute a client that has to wait may ask all the same as one user, before it is
    /// not even looked up whether it is remembered: that tells right from wrong, too.
    pub turned_away_a_minute_max: u32,
    /// For how many clients, and users of them, each of these is counted.
    pub clients_max: usize,
}

impl Limits {
    /// Those that hold if no others are said.
    pub const DEFAULT: Self = Self {
        hashing_max: 2,
        waiting_max: 128,
        verified_max: 4096,
        verified_life: Duration::from_mins(5),
        failures_a_minute_max: 10,
        failures_a_client_max: 300,
        turned_away_a_minute_max: 1000,
        clients_max: 16_384,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
