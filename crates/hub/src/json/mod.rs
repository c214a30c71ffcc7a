//! Frames of JSON.

use crate::protocol::Told;

/// Writes what is told, as a line.
pub fn write(told: &Told, out: &mut Vec<u8>) {
    out.extend(format!("{told:?}\n").bytes());
}
