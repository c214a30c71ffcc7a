//! Files that are a part of this program.

use std::borrow::Cow;

use relais_http::files::Asset;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What the pages of this program share: their colours and fonts.
#[derive(RustEmbed)]
#[folder = "../../web/shared"]
struct Shared;

/// The files of `E`, and those that all pages share, as files below a root.
pub(crate) fn assets<E: RustEmbed>() -> Vec<Asset> {
    E::iter().filter_map(asset::<E>).chain(Shared::iter().filter_map(asset::<Shared>)).collect()
}

fn asset<E: RustEmbed>(path: Cow<'static, str>) -> Option<Asset> {
    let EmbeddedFile { data, metadata } = E::get(&path)?;
    let (Cow::Borrowed(path), Cow::Borrowed(bytes)) = (path, data) else {
        unreachable!("the feature `debug-embed` has everything borrowed from this program");
    };
    Some(Asset { path, bytes, modified_secs: metadata.last_modified() })
}
