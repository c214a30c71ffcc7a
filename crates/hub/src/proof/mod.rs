//! How it is shown who somebody is: by a password, or by a token that an earlier login gave. Knows
//! no sockets and no store; what is kept of either is a hash. A password is taken as it stands: who
//! asks has made its spaces and accents the same, however they were typed.
//!
//! A login is [admitted](Throttle::admit) first, then the password is [verified](Passwords::verify),
//! whether or not there is such an account, and what was right is [said](Throttle::right) to be.

mod hook;
mod passwords;
mod throttle;
mod token;
mod usual;
mod weak;

pub use self::{
    hook::{draw_hook, read_hook},
    passwords::{Busy, HashLimits, Passwords, Verdict},
    throttle::{Attempt, LoginLimits, Throttle},
    token::{Token, TokenHash},
    weak::{PASSWORD_CHARS_MIN, Weak, check_password},
};
