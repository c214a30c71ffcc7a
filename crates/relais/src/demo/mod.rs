//! What `relais up` runs where there is no configuration: a site in this program, a proxy before it,
//! an echo, a calculator and a hub.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use relais_http::files::Asset;
use rust_embed::RustEmbed;

use crate::{
    base::Base,
    complaint::{Complaint, Wrong},
    data::{Data, make_private},
    embedded,
    stop::Stop,
};

/// The pages of the demo.
#[derive(RustEmbed)]
#[folder = "../../web/demo"]
struct Pages;

/// What the demo's configuration is called.
pub(crate) const NAME: &str = "demo.toml";

/// The demo's configuration.
pub(crate) const TEXT: &str = include_str!("demo.toml");

/// What the demo's list blocks, until somebody changes it.
const LIST: &str = include_str!("blocked.txt");

/// Makes what the demo keeps in `data`: a list, and a place for logs. Gives the folder.
///
/// # Errors
///
/// If there is no place for them.
pub(crate) fn settle(data: &Data) -> Result<Base, Stop> {
    let folder = data.demo()?;
    make(&folder).map_err(|error| {
        let why = Wrong::from_error(&error).what;
        let what = format!("cannot keep the demo's logs in {:?}: {why}", folder.display());
        let wrong = Wrong { what, expected: None, hint: None };
        let hint = "`--data DIR` or `RELAIS_DATA` names another data folder";
        Stop::Wrong(vec![Complaint::of_file(&folder, wrong.hint(hint))])
    })?;
    Ok(Base(folder))
}

/// Makes the folder, and the list if there is none.
fn make(folder: &Path) -> io::Result<()> {
    make_private(folder)?;
    match File::create_new(folder.join("blocked.txt")) {
        Ok(mut list) => list.write_all(LIST.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Where the demo's log is, if it has run.
pub(crate) fn log(data: &Data) -> Option<PathBuf> {
    let log = data.demo().ok()?.join("front.jsonl");
    log.exists().then_some(log)
}

/// The pages of the demo, as files below a root.
pub(crate) fn assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(embedded::assets::<Pages>);
    &ASSETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_here() {
        let has = |path| assets().iter().any(|asset| asset.path == path && !asset.bytes.is_empty());
        assert!(has("index.html") && has("404.html") && has("js/site.js") && has("sign.css"));
    }
}
