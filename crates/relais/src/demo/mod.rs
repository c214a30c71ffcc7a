//! What `relais up` runs where there is no configuration: a site in this program.

use std::{borrow::Cow, sync::LazyLock};

use relais_http::files::Asset;
use rust_embed::{EmbeddedFile, RustEmbed};

/// The pages of the demo.
#[derive(RustEmbed)]
#[folder = "../../web/demo"]
struct Pages;

/// What the demo's configuration is called.
pub(crate) const NAME: &str = "demo.toml";

/// The demo's configuration.
pub(crate) const TEXT: &str = include_str!("demo.toml");

/// The pages of the demo, as files below a root.
pub(crate) fn assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> =
        LazyLock::new(|| Pages::iter().filter_map(asset).collect());
    &ASSETS
}

fn asset(path: Cow<'static, str>) -> Option<Asset> {
    let EmbeddedFile { data, metadata } = Pages::get(&path)?;
    let (Cow::Borrowed(path), Cow::Borrowed(bytes)) = (path, data) else {
        unreachable!("the feature `debug-embed` has everything borrowed from this program");
    };
    Some(Asset { path, bytes, modified_secs: metadata.last_modified() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_here() {
        let has = |path| assets().iter().any(|asset| asset.path == path && !asset.bytes.is_empty());
        assert!(has("index.html") && has("404.html") && has("js/site.js"));
    }
}
