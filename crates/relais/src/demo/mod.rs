//! What `relais up` runs where there is no configuration: a site in this program.

use crate::config::Source;

/// The demo's configuration.
pub(crate) fn source() -> Source {
    Source::Embedded { name: "demo.toml", text: include_str!("demo.toml").to_owned() }
}
