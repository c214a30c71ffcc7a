//! The page of a hub: files in this program, as browsers ask for them.
//!
//! It is written as many modules and sheets, and served as one of each, put together when the hub
//! starts: over a line on which a question takes 400 ms, as many files as it is written in take seven
//! seconds. As it is written it can be had, too, at `/source.html`.

mod bundle;
mod index;
mod module;

use std::sync::{Arc, LazyLock};

use relais_http::{
    DynHandler, Erase as _,
    files::{Asset, Files, OpenError, Options, Root},
};
use rust_embed::RustEmbed;

use self::bundle::{Unfit, bundle};
use crate::{clock, embedded};

/// The page.
#[derive(RustEmbed)]
#[folder = "../../web/chat"]
struct Page;

/// What begins the page as it is written.
const SOURCE: &str = "source.html";
/// All scripts of the page, and all sheets.
const SCRIPT: &str = "page.js";
const SHEET: &str = "page.css";

/// What serves the page.
///
/// # Errors
///
/// If a thread for it cannot be had.
pub(super) fn open() -> Result<Arc<dyn DynHandler>, OpenError> {
    Ok(Files::open(Options::of(Root::Embedded(assets()), clock::now))?.erase())
}

fn assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
        together(embedded::assets::<Page>()).expect("a page that a test has put together")
    });
    &ASSETS
}

/// `written`, with one script and one sheet, and an index that asks for these. What is made is kept as
/// long as the program runs, as the rest is.
fn together(mut written: Vec<Asset>) -> Result<Vec<Asset>, Unfit> {
    let text_of = |path: &str| {
        let asset = written.iter().find(|asset| asset.path == path)?;
        str::from_utf8(asset.bytes).ok()
    };
    let page = text_of("index.html").unwrap_or_default();
    let index = index::read(page)?;
    let script = bundle(index.script, &text_of)?;
    let sheet = index::sheet(&index.sheets, &text_of)?;
    // Changed when any of its parts was: so its tag is another, too.
    let modified_secs = written.iter().filter_map(|asset| asset.modified_secs).max();
    let made = |path, text: String| Asset { path, bytes: text.leak().as_bytes(), modified_secs };
    let files = [
        made("index.html", index.text),
        made(SCRIPT, script),
        made(SHEET, sheet),
        Asset { path: SOURCE, bytes: page.as_bytes(), modified_secs },
    ];
    written.retain(|asset| asset.path != "index.html");
    written.extend(files);
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(path: &str) -> &'static str {
        let asset = assets().iter().find(|asset| asset.path == path).unwrap();
        str::from_utf8(asset.bytes).unwrap()
    }

    #[test]
    fn the_page_is_here() {
        let index = text_of("index.html");
        assert!(index.contains("<html lang"), "{index}");
        let has = |path| assets().iter().any(|asset| asset.path == path && !asset.bytes.is_empty());
        assert!(has("main.js") && has("sign.css") && has("font/jetbrains-mono.woff2"));
        // Nothing else is let run or painted: see the hub's door.
        assert!(!index.contains("<style") && !index.contains(" style="), "{index}");
        assert!(!index.contains("<script>") && !index.contains(" onclick="), "{index}");
    }

    #[test]
    fn the_page_asks_for_one_script_and_one_sheet_with_every_module_in_them() {
        let index = text_of("index.html");
        assert_eq!(index.matches("rel=\"stylesheet\"").count(), 1, "{index}");
        assert_eq!(index.matches("type=\"module\"").count(), 1, "{index}");
        assert!(
            index.contains("href=\"page.css\"") && index.contains("src=\"page.js\""),
            "{index}"
        );
        let (script, sheet) = (text_of(SCRIPT), text_of(SHEET));
        let alone = ["early.js", "worker.js", SCRIPT];
        for asset in assets().iter().filter(|asset| !alone.contains(&asset.path)) {
            let (end, all) = match asset.path.rsplit_once('.') {
                Some((_, "js")) => (format!("// {}\n", asset.path), script),
                Some((_, "css")) if asset.path != SHEET => (text_of(asset.path).to_owned(), sheet),
                _ => continue,
            };
            assert_eq!(all.matches(&end).count(), 1, "{}", asset.path);
        }
    }

    #[test]
    fn the_page_can_be_had_as_it_is_written() {
        assert!(text_of(SOURCE).contains("src=\"main.js\""));
        assert!(text_of("main.js").contains("from \"./core/state.js\""));
    }

    #[test]
    fn a_page_that_does_not_fit_together_is_refused() {
        let page = "<link rel=\"stylesheet\" href=\"a.css\">\n<script type=\"module\" src=\"a.js\"></script>";
        let asset =
            |path, text: &'static str| Asset { path, bytes: text.as_bytes(), modified_secs: None };
        let of = |script, sheet| {
            let files = [asset("index.html", page), asset("a.js", script), asset("a.css", sheet)];
            together(files.to_vec()).map(|all| all.len()).map_err(|error| error.to_string())
        };
        assert_eq!(of("a();", "a {}"), Ok(6));
        let line =
            "in a.js: a form of import or export that is not known here: \"export * from 1\"";
        assert_eq!(of("export * from 1", "a {}"), Err(line.to_owned()));
        let line = "in a.css: what means something else in one sheet with others: \"@import\"";
        assert_eq!(of("a();", "@import \"b.css\";"), Err(line.to_owned()));
    }
}
