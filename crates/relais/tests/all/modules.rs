//! Which module of a crate imports which, read from its text.
//!
//! A module is a file or a folder beside the crate's root, or beside another module's, so both
//! `crate::listener` and, inside of it, `super::open` are arrows. What a module re-exports counts
//! as its own only where it is defined: naming `crate::Open` is an arrow to `listener`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Each module, and those it imports. Names are ways from the root: `run::house`.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports of the crate whose root is in `src`.
///
/// Only arrows between siblings count: a parent knows its children, and that they know what it
/// gives to all of them is no cycle.
pub(crate) fn module_imports(src: &Path) -> Imports {
    let mut imports = Imports::new();
    siblings(src, "lib.rs", "", &mut imports);
    imports
}

/// The modules that `from` reaches.
pub(crate) fn reach(imports: &Imports, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut todo = vec![from];
    while let Some(module) = todo.pop() {
        for next in imports.get(module).into_iter().flatten() {
            if reached.insert(next.clone()) {
                todo.push(next);
            }
        }
    }
    reached
}

/// Adds the arrows between the modules that the file `parent` in `folder` declares, and those
/// between their own.
fn siblings(folder: &Path, parent: &str, way: &str, imports: &mut Imports) {
    let Ok(text) = fs::read_to_string(folder.join(parent)) else { return };
    let text = code(&text);
    let modules = declared(&text);
    let homes = homes(&text, &modules);
    let absolute = if way.is_empty() { "crate::".to_owned() } else { format!("crate::{way}::") };
    for module in &modules {
        let mut names = BTreeSet::new();
        for Text { code, depth } in texts(folder, module) {
            names.extend(names_after(&code, &absolute));
            names.extend(names_after(&code, &"super::".repeat(depth + 1)));
        }
        let home =
            |name| if modules.contains(&name) { Some(name) } else { homes.get(&name).cloned() };
        let found: BTreeSet<_> = names.into_iter().filter_map(home).collect();
        let full = |name: &str| {
            if way.is_empty() { name.to_owned() } else { format!("{way}::{name}") }
        };
        imports.insert(
            full(module),
            found.iter().filter(|name| *name != module).map(|name| full(name)).collect(),
        );
        let below = folder.join(module);
        if below.join("mod.rs").is_file() {
            siblings(&below, "mod.rs", &full(module), imports);
        } else if below.is_dir() {
            siblings_beside(folder, module, &full(module), imports);
        }
    }
}

/// Like [`siblings`], for a module whose own file stands beside its folder.
fn siblings_beside(folder: &Path, module: &str, way: &str, imports: &mut Imports) {
    let below = folder.join(module);
    let parent = format!("../{module}.rs");
    siblings(&below, &parent, way, imports);
}

/// A file's lines before its tests, which others' tests may use.
pub(crate) fn before_tests(text: &str) -> &str {
    let starts = text.match_indices("#[cfg(test)]\n").map(|(at, mark)| (at, at + mark.len()));
    let mut starts = starts.filter(|(_, after)| {
        let line = text[*after..].lines().next().unwrap_or_default();
        line.contains("mod tests {") && !line.starts_with(' ')
    });
    starts.next().map_or(text, |(at, _)| &text[..at])
}

/// A file's code, without its tests and comments.
pub(crate) fn code(text: &str) -> String {
    let text = before_tests(text);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.fold(String::new(), |code, line| code + line + "\n")
}

/// The modules that a file declares, but those of tests.
fn declared(code: &str) -> BTreeSet<String> {
    let mut is_tests = false;
    let mut modules = BTreeSet::new();
    for line in code.lines() {
        let name = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub ")
            .strip_prefix("mod ")
            .and_then(|line| line.strip_suffix(';'));
        if let Some(name) = name.filter(|_| !is_tests) {
            modules.insert(name.to_owned());
        }
        is_tests = line.trim() == "#[cfg(test)]";
    }
    modules
}

/// Where each name that a file re-exports comes from.
fn homes(code: &str, modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut homes = BTreeMap::new();
    for statement in code.split(';') {
        let Some(start) = statement.find("pub use ").or_else(|| statement.find("pub(crate) use "))
        else {
            continue;
        };
        let path = statement[start..].split_once("use ").map_or("", |(_, path)| path);
        for module in modules {
            for names in tails(path, &format!("{module}::")) {
                homes.extend(first_names(names).into_iter().map(|name| (name, module.clone())));
            }
        }
    }
    homes
}

/// A file of a module.
struct Text {
    code: String,
    /// How many modules down: 0 for the module's own file.
    depth: usize,
}

fn texts(folder: &Path, module: &str) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut read = |path: &Path, depth| {
        let Ok(text) = fs::read_to_string(path) else { return };
        let code = code(&text);
        // Would pass for the name of a module that there is not.
        let is_mixed = code.split_whitespace().collect::<String>().contains("super::{super::");
        assert!(!is_mixed, "{}: a `super` in a group: start from `crate`", path.display());
        texts.push(Text { code, depth });
    };
    read(&folder.join(format!("{module}.rs")), 0);
    let mut folders = vec![(folder.join(module), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.file_stem().unwrap_or_default().to_str() {
                Some("tests") => (),
                _ if path.is_dir() => folders.push((path, depth + 1)),
                Some("mod") => read(&path, depth),
                _ => read(&path, depth + 1),
            }
        }
    }
    texts
}

/// The first name of every path in `code` that starts with `root`, groups taken apart.
fn names_after(code: &str, root: &str) -> BTreeSet<String> {
    tails(code, root).into_iter().flat_map(first_names).collect()
}

/// What follows each `root` in `code` that starts a path.
fn tails<'c>(code: &'c str, root: &str) -> Vec<&'c str> {
    let starts = code.match_indices(root).filter(|(at, _)| {
        let before = code[..*at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    });
    starts.map(|(at, _)| &code[at + root.len()..]).collect()
}

/// The name that a path starts with, or each of a group of paths: `{a::b, c::{d, e}}` is a and c.
fn first_names(tail: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = tail.strip_prefix('{') else { return BTreeSet::from([name(tail)]) };
    let mut names = BTreeSet::from([name(group)]);
    let mut depth = 0_i32;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => _ = names.insert(name(&group[at + 1..])),
            _ => (),
        }
    }
    names.remove("");
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_no_code_whoever_may_use_them() {
        for start in ["mod tests {", "pub(super) mod tests {", "pub(crate) mod tests {"] {
            let text = format!("fn a() {{}}\n#[cfg(test)]\n{start}\n    use b;\n}}\n");
            assert_eq!(code(&text), "fn a() {}\n");
        }
        let kept = "#[cfg(test)]\nmod tests;\n#[cfg(test)]\nfn c() {}\n";
        assert_eq!(code(kept), kept);
    }

    #[test]
    fn arrows_are_found_in_every_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "lib.rs",
            "mod a;\npub mod b;\nmod c;\nmod d;\n#[cfg(test)]\nmod tests;\npub use c::{C, D};\n",
        );
        write("a.rs", "use crate::{b::{x, y}, C};\n// crate::nothing\n");
        write(
            "b/mod.rs",
            "mod one;\nmod three;\nmod two;\nuse super::c;\npub use self::{one::One, two::Two};\n",
        );
        write("b/one.rs", "fn f() { super::two::g() }\n");
        write("b/two.rs", "use super::One;\nuse crate::a;\n");
        write("b/three/mod.rs", "mod deep;\nuse super::super::D;\n");
        write("b/three/deep.rs", "use super::super::{two, three};\nuse crate::d;\n");
        write("b/tests/mod.rs", "use crate::nothing;\n");
        write("d.rs", "");
        write("c.rs", "#[cfg(test)]\nmod tests { use crate::a; }\n");
        let imports = module_imports(folder.path());
        let of = |module: &str| imports[module].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(of("a"), ["b", "c"]);
        assert_eq!(of("b"), ["a", "c", "d"]);
        assert_eq!(of("b::one"), ["b::two"]);
        assert_eq!(of("b::two"), ["b::one"]);
        assert_eq!(of("b::three"), ["b::two"]);
        assert!(of("c").is_empty());
        assert!(reach(&imports, "a").contains("a"));
    }
}
