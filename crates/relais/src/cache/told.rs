//! What was told, taken apart.

use serde_json::Value;

use crate::columns::clean;

/// The text at `name` of what was found, without what a terminal would obey.
pub(super) fn text(found: &Value, name: &str) -> String {
    clean(found[name].as_str().unwrap_or_default())
}

/// The number at `name`.
pub(super) fn number(found: &Value, name: &str) -> u64 {
    found[name].as_u64().unwrap_or_default()
}
