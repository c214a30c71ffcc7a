//! What must hold of the code itself: who may import whom, and a few rules of style that no lint
//! keeps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::modules::{Imports, before_tests, code, module_imports, reach};

/// Each crate, and every crate of ours that it may import. Below comes before above.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("tap", &[]),
    ("cache", &["wire"]),
    ("net", &["wire"]),
    ("relay", &["wire", "tap", "net"]),
    ("talk", &["wire", "tap", "net"]),
    ("http", &["cache", "net", "wire"]),
    ("inspect", &["wire"]),
    ("hub", &["wire", "tap", "net", "http"]),
    ("relais", &["wire", "tap", "cache", "net", "relay", "talk", "http", "inspect", "hub"]),
];

/// Each dependency, and who uses it. One user means that it is that room's own: others ask the
/// room. A new row, or a new user, is a decision.
const ROOMS: &[(&str, &[&str])] = &[
    ("aho-corasick", &["http"]),
    ("anyhow", &["bench", "relais"]),
    ("arc-swap", &["http", "net", "relais", "relay"]),
    ("argon2", &["http"]),
    ("aws-lc-rs", &["net"]),
    ("base64", &["http"]),
    ("bcrypt", &["http"]),
    ("blake2", &["http"]),
    ("brotli", &["http"]),
    ("bytes", &["cache", "http", "hub", "net", "relais", "talk", "tap"]),
    ("clap", &["bench", "relais"]),
    ("clap_complete", &["relais"]),
    ("clap_mangen", &["relais"]),
    ("crossterm", &["relais"]),
    ("fast-glob", &["http"]),
    ("fend-core", &["talk"]),
    ("flate2", &["http"]),
    ("futures-util", &["hub", "talk"]),
    ("h2", &["http", "talk"]),
    ("http", &["cache", "http", "hub", "relais", "talk"]),
    ("hashbrown", &["cache", "http"]),
    ("http-body", &["http"]),
    ("hyper", &["http"]),
    ("hyper-util", &["http"]),
    ("libc", &["bench", "http", "net", "relais"]),
    ("listenfd", &["relais"]),
    ("memmap2", &["cache"]),
    ("memchr", &["bench", "cache", "http", "inspect", "talk", "wire"]),
    ("precis-profiles", &["hub"]),
    ("quick_cache", &["bench", "cache", "http"]),
    ("ratatui", &["relais"]),
    ("rcgen", &["net"]),
    ("rusqlite", &["hub"]),
    ("rust-embed", &["relais"]),
    ("rustix", &["bench", "cache", "http", "net", "relais", "talk"]),
    ("rustls", &["bench", "net"]),
    ("rustls-native-certs", &["net"]),
    ("rustls-pki-types", &["net"]),
    ("sd-notify", &["relais"]),
    ("serde", &["hub", "relais"]),
    ("serde_json", &["hub", "relais"]),
    ("sha2", &["http"]),
    ("siphasher", &["cache"]),
    ("socket2", &["net"]),
    ("strsim", &["relais"]),
    ("tempfile", &["bench"]),
    ("thiserror", &["cache", "http", "hub", "inspect", "net", "relais", "relay", "talk", "wire"]),
    ("tokio", &["http", "hub", "net", "relais", "relay", "talk", "tap"]),
    ("tokio-rustls", &["net"]),
    ("tokio-tungstenite", &["hub", "talk"]),
    ("toml", &["relais"]),
    ("tracing", &["http", "hub", "net", "relais", "relay", "talk"]),
    ("tracing-subscriber", &["relais"]),
    ("twox-hash", &["cache"]),
    ("unicode-normalization", &["wire"]),
    ("unicode-security", &["hub"]),
    ("unicode-segmentation", &["relais"]),
    ("unicode-width", &["relais"]),
    ("x509-parser", &["net"]),
    ("zeroize", &["hub"]),
    ("zstd", &["http"]),
];

/// What the crates below `relais` leave to it: the environment, the time of day, talking to
/// people, the process's end and its signals. `tokio::time` is no time of day: tests can pause it.
const LEFT_TO_RELAIS: &[&str] = &[
    "dbg!",
    "env::",
    "eprint!",
    "eprintln!",
    "print!",
    "println!",
    "process::abort",
    "process::exit",
    "signal::",
    "SystemTime::now",
];

/// What the crates that know no socket, runtime or clock may not import.
const NOT_BELOW: &[(&str, &[&str])] = &[
    ("wire", &["tokio", "socket2", "rustix", "tracing"]),
    // It has `rustix` for one way to read a file, which the standard library has not.
    ("cache", &["tokio", "socket2", "tracing"]),
    ("tap", &["socket2", "rustix", "tracing"]),
    ("inspect", &["tokio", "socket2", "rustix", "tracing"]),
];

/// Licences that ask for no more than to be named.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Longer files open with why.
const LINES_MAX: usize = 500;

#[test]
fn every_crate_has_its_arrows() {
    let named: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let there: BTreeSet<_> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(named, there);
}

#[test]
fn crates_import_only_what_is_below_them() {
    for (name, allowed) in ARROWS {
        for import in dependencies(name, &["dependencies", "build-dependencies"]) {
            let Some(ours) = import.strip_prefix("relais-") else { continue };
            assert!(allowed.contains(&ours), "{name} imports {import}");
        }
    }
}

#[test]
fn dependencies_stay_in_their_rooms() {
    let mut used: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for name in ARROWS.iter().map(|(name, _)| *name).chain(["bench"]) {
        let imports = dependencies(name, &["dependencies", "build-dependencies"]);
        for import in imports.into_iter().filter(|import| !import.starts_with("relais-")) {
            used.entry(import).or_default().insert(name);
        }
    }
    let known: BTreeMap<_, BTreeSet<_>> = ROOMS
        .iter()
        .map(|(name, users)| ((*name).to_owned(), users.iter().copied().collect()))
        .collect();
    let differ = |one: &BTreeMap<_, _>, other: &BTreeMap<String, BTreeSet<&str>>| -> Vec<_> {
        let rows = other.iter().filter(|&(name, users)| one.get(name) != Some(users));
        rows.map(|(name, users)| format!("{name}: {users:?}")).collect()
    };
    let (new, stale) = (differ(&known, &used), differ(&used, &known));
    assert!(new.is_empty() && stale.is_empty(), "in manifests: {new:#?}; in ROOMS: {stale:#?}");
}

/// A crate may hand on what it alone depends on; nobody reaches it that way.
#[test]
fn dependencies_are_not_reached_through_another_room() {
    for (name, path, code) in crate_code() {
        for (dependency, users) in ROOMS.iter().filter(|(_, users)| !users.contains(&&*name)) {
            let path_start = format!("{}::", dependency.replace('-', "_"));
            let is_named = mentions(&code, &path_start);
            assert!(!is_named, "{}: {dependency} is for {users:?}", path.display());
        }
    }
}

#[test]
fn crates_without_sockets_import_none() {
    for (name, refused) in NOT_BELOW {
        let imports = dependencies(name, &["dependencies"]);
        let found: Vec<_> =
            imports.iter().filter(|name| refused.contains(&name.as_str())).collect();
        assert!(found.is_empty(), "{name} imports {found:?}");
    }
}

#[test]
fn only_relais_knows_its_surroundings() {
    for (_, path, code) in crate_code().into_iter().filter(|(name, ..)| name != "relais") {
        let found: Vec<_> =
            LEFT_TO_RELAIS.iter().filter(|phrase| mentions(&code, phrase)).collect();
        assert!(found.is_empty(), "{}: {found:?} is for relais", path.display());
        assert!(!takes_time(&code), "{}: time is passed in, or tokio's", path.display());
    }
}

/// Whether `code` uses the clock that no test can pause.
fn takes_time(code: &str) -> bool {
    let mut imports = code.split("use std::").skip(1).filter_map(|rest| rest.split(';').next());
    mentions(code, "std::time::Instant") || imports.any(|import| mentions(import, "Instant"))
}

/// Whether `phrase` stands in `code`, not as the end of a longer word.
fn mentions(code: &str, phrase: &str) -> bool {
    let mut places = code.match_indices(phrase).map(|(at, _)| code[..at].chars().next_back());
    places.any(|before| !before.is_some_and(|c| c.is_alphanumeric() || c == '_'))
}

#[test]
fn phrases_are_found_as_words() {
    assert!(mentions("let a = std::env::var(b)", "env::"));
    assert!(mentions("env::var(b)", "env::"));
    assert!(!mentions("my_env::var(b)", "env::"));
    assert!(mentions("{println!()}", "println!"));
    assert!(!mentions("eprintln!()", "println!"));
    assert!(takes_time("}\nuse std::{\n    fs,\n    time::{Duration, Instant},\n};"));
    assert!(takes_time("std::time::Instant::now()"));
    assert!(!takes_time("use std::time::Duration;\nuse tokio::{sync::Notify, time::Instant};"));
}

#[test]
fn no_module_reaches_itself_through_its_imports() {
    let mut cycles = BTreeSet::new();
    for (name, _) in ARROWS {
        let src = root().join("crates").join(name).join("src");
        cycles.extend(cycles_of(name, &module_imports(&src)));
    }
    assert!(cycles.is_empty(), "{cycles:#?}");
}

/// Each set of modules that reach each other, as one text.
fn cycles_of(name: &str, imports: &Imports) -> BTreeSet<String> {
    let mut cycles = BTreeSet::new();
    for module in imports.keys() {
        let reached = reach(imports, module);
        if !reached.contains(module) {
            continue;
        }
        let round: Vec<_> =
            reached.iter().filter(|other| reach(imports, other).contains(module)).collect();
        let round: Vec<_> = round.into_iter().map(String::as_str).collect();
        cycles.insert(format!("{name}: {}", round.join(" <-> ")));
    }
    cycles
}

#[test]
fn lints_are_expected_and_never_allowed() {
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            let at = format!("{}:{}", path.display(), number + 1);
            let code = line.trim_start();
            let is_attribute = code.starts_with("#[") || code.starts_with("#![");
            assert!(!is_attribute || !code.contains("[allow("), "{at}: expect it, with a reason");
            assert!(!is_attribute || !code.contains("[ignore"), "{at}: a test that does not run");
            assert!(!is_attribute || !code.contains("[should_panic"), "{at}: expect the error");
        }
    }
}

#[test]
fn long_files_open_with_why() {
    for (path, text) in sources() {
        let is_tests = path.with_extension("").components().any(|part| part.as_os_str() == "tests");
        let length = if is_tests { 0 } else { before_tests(&text).lines().count() };
        let opening: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let says_why = opening.contains("long") || opening.contains("One file");
        assert!(
            length <= LINES_MAX || says_why,
            "{}: {length} lines, and its `//!` does not say why it is long",
            path.display()
        );
    }
}

#[test]
fn every_file_opens_with_what_it_is() {
    for (path, text) in sources() {
        let is_tests = path.file_stem().is_some_and(|stem| stem == "tests");
        assert!(is_tests || text.starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn every_dependency_has_a_licence_that_asks_for_no_more_than_its_name() {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_allowed(licence), "{name}: {licence}");
    }
}

/// Whether one of the alternatives of an SPDX expression is allowed, all its parts together.
fn is_allowed(licence: &str) -> bool {
    let licence = licence.replace('/', " OR ").replace(['(', ')'], "");
    let mut alternatives = licence.split(" OR ");
    alternatives.any(|all| all.split(" AND ").all(|one| LICENCES.contains(&one.trim())))
}

#[test]
fn expressions_of_licences_are_understood() {
    for licence in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR ISC) AND Zlib"] {
        assert!(is_allowed(licence), "{licence}");
    }
    for licence in ["none", "GPL-3.0", "MIT AND GPL-3.0", "LGPL-2.1 OR MPL-2.0"] {
        assert!(!is_allowed(licence), "{licence}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// What a crate's manifest names in these tables.
fn dependencies(name: &str, tables: &[&str]) -> Vec<String> {
    let folder = if name == "bench" { root() } else { root().join("crates") };
    let path = folder.join(name).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let tables = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

/// What the crates are made of, without tests: whose it is, where, and its code.
fn crate_code() -> Vec<(String, PathBuf, String)> {
    let crates = root().join("crates");
    let mut codes = Vec::new();
    for (path, text) in sources() {
        // The bench is no crate that others import, and knows its surroundings.
        let Ok(below) = path.strip_prefix(&crates) else { continue };
        let below = below.with_extension("");
        let steps: Vec<_> = below.iter().map(|step| step.to_str().unwrap()).collect();
        if steps[1] == "src" && !steps.contains(&"tests") {
            codes.push((steps[0].to_owned(), path.clone(), code(&text)));
        }
    }
    assert!(codes.len() > ARROWS.len(), "no code found");
    codes
}

/// Every source file of ours, and what is in it.
fn sources() -> BTreeMap<PathBuf, String> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![root().join("crates"), root().join("bench")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_target = path.file_name().is_some_and(|name| name == "target");
            if path.is_dir() && !is_target {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.insert(path, text);
            }
        }
    }
    sources
}
