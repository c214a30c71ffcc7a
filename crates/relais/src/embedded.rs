//! Files that are a part of this program.

use std::borrow::Cow;

use relais_http::files::Asset;
use rust_embed::{EmbeddedFile, RustEmbed};

/// The files of `E`, as files below a root.
pub(crate) fn assets<E: RustEmbed>() -> Vec<Asset> {
    E::iter().filter_map(asset::<E>).collect()
}

fn asset<E: RustEmbed>(path: Cow<'static, str>) -> Option<Asset> {
    let EmbeddedFile { data, metadata } = E::get(&path)?;
    let (Cow::Borrowed(path), Cow::Borrowed(bytes)) = (path, data) else {
        unreachable!("the feature `debug-embed` has everything borrowed from this program");
    };
    Some(Asset { path, bytes, modified_secs: metadata.last_modified() })
}
