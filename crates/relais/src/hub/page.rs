//! The page of a hub: files in this program, as browsers ask for them.

use std::sync::{Arc, LazyLock};

use relais_http::{
    DynHandler, Erase as _,
    files::{Asset, Files, OpenError, Options, Root},
};
use rust_embed::RustEmbed;

use crate::{clock, embedded};

/// The page.
#[derive(RustEmbed)]
#[folder = "../../web/chat"]
struct Page;

/// What serves the page.
///
/// # Errors
///
/// If a thread for it cannot be had.
pub(super) fn open() -> Result<Arc<dyn DynHandler>, OpenError> {
    Ok(Files::open(Options::of(Root::Embedded(assets()), clock::now))?.erase())
}

fn assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(embedded::assets::<Page>);
    &ASSETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_here() {
        let index = assets().iter().find(|asset| asset.path == "index.html").unwrap();
        let index = str::from_utf8(index.bytes).unwrap();
        assert!(index.contains("<html lang"), "{index}");
        let has = |path| assets().iter().any(|asset| asset.path == path && !asset.bytes.is_empty());
        assert!(has("main.js") && has("sign.css") && has("font/jetbrains-mono.woff2"));
        // Nothing else is let run or painted: see the hub's door.
        assert!(!index.contains("<style") && !index.contains(" style="), "{index}");
        assert!(!index.contains("<script>") && !index.contains(" onclick="), "{index}");
    }
}
