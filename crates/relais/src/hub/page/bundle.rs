//! Puts the page's modules together: one script instead of some seventy, each of which would cost a
//! browser that is far away a way there and back.
//!
//! Each module becomes a function that is called once, in the order in which browsers would have run
//! them; what it exports is what the function gives. Its text stays as it is written.

use std::fmt::Write as _;

use thiserror::Error;

use super::module::{Module, Names, Pair};

/// Why the page cannot be put together.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Unfit {
    #[error("in {path}: a form of import or export that is not known here: {line:?}")]
    Form { path: String, line: String },
    #[error("in {path}: nothing at {from:?}")]
    Missing { path: String, from: String },
    #[error("in {path}: {from:?} exports no {name:?}")]
    Unshown { path: String, from: String, name: String },
    #[error("in {path}: what it imports imports it: {from:?}")]
    Circle { path: String, from: String },
    #[error("in {path}: what means something else in one sheet with others: {what:?}")]
    Sheet { path: String, what: &'static str },
}

impl Unfit {
    /// Of what stands at the beginning of `text`.
    pub(super) fn form(path: &str, text: &str) -> Self {
        let line = text.lines().next().unwrap_or_default().chars().take(80).collect();
        Self::Form { path: path.to_owned(), line }
    }
}

/// Puts `main` and all that it imports into one script. `text_of` gives the text of a module by its path.
///
/// # Errors
///
/// If a module has a form that is not known, is not there, imports what imports it, or a name that the
/// other does not export.
pub(super) fn bundle<'a>(
    main: &str,
    text_of: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<String, Unfit> {
    let mut bundle = Bundle { text_of, begun: Vec::new(), done: Vec::new(), script: String::new() };
    bundle.add(main, ("", main))?;
    Ok(bundle.script)
}

/// What is put together so far.
struct Bundle<'a, 'b> {
    text_of: &'b dyn Fn(&str) -> Option<&'a str>,
    /// Modules that wait for what they import.
    begun: Vec<String>,
    /// Modules in the script, in their order, and what each exports: what the first gives is called `its$0`.
    done: Vec<(String, Vec<&'a str>)>,
    script: String,
}

impl<'a> Bundle<'a, '_> {
    /// Has the module `path` in the script, behind all that it imports. Gives which one it is.
    fn add(&mut self, path: &str, (by, from): (&str, &str)) -> Result<usize, Unfit> {
        if let Some(at) = self.done.iter().position(|(one, _)| one == path) {
            return Ok(at);
        }
        let wrong = || (by.to_owned(), from.to_owned());
        if self.begun.iter().any(|one| one == path) {
            let (path, from) = wrong();
            return Err(Unfit::Circle { path, from });
        }
        let Some(text) = (self.text_of)(path) else {
            let (path, from) = wrong();
            return Err(Unfit::Missing { path, from });
        };
        let module = Module::read(path, text)?;
        self.begun.push(path.to_owned());
        let function = self.function(path, &module)?;
        self.begun.pop();
        let at = self.done.len();
        let _ = write!(self.script, "// {path}\nconst its${at} = (() => {{\n{function}}})();\n");
        let passed_on = module.passed_on.iter().flat_map(|(pairs, _)| pairs);
        let shown = module.exports.iter().chain(passed_on).map(|(_, shown)| *shown).collect();
        self.done.push((path.to_owned(), shown));
        Ok(at)
    }

    /// Has the module that `path` finds at `from` in the script, and looks whether it exports all of
    /// `names`. Gives which one it is.
    fn add_with(&mut self, path: &str, from: &str, names: &[Pair<'_>]) -> Result<usize, Unfit> {
        let at = self.add(&beside(path, from), (path, from))?;
        let (_, shown) = &self.done[at];
        let Some((name, _)) = names.iter().find(|(theirs, _)| !shown.contains(theirs)) else {
            return Ok(at);
        };
        let [path, from, name] = [path, from, *name].map(str::to_owned);
        Err(Unfit::Unshown { path, from, name })
    }

    /// What stands between the braces of the function that `module` becomes.
    fn function(&mut self, path: &str, module: &Module<'a>) -> Result<String, Unfit> {
        let mut text = String::new();
        let mut given: Vec<_> = module.exports.iter().map(own).collect();
        for (names, from) in &module.imports {
            let wanted = if let Names::Each(pairs) = names { pairs.as_slice() } else { &[] };
            let at = self.add_with(path, from, wanted)?;
            let _ = match names {
                Names::All(name) => writeln!(text, "const {name} = its${at};"),
                Names::Each(pairs) if pairs.is_empty() => Ok(()),
                Names::Each(pairs) => {
                    let pairs: Vec<_> = pairs.iter().map(renamed).collect();
                    writeln!(text, "const {{ {} }} = its${at};", pairs.join(", "))
                }
            };
        }
        for (pairs, from) in &module.passed_on {
            let at = self.add_with(path, from, pairs)?;
            given.extend(pairs.iter().map(|(one, other)| format!("{other}: its${at}.{one}")));
        }
        text.push_str(&without_maps(&module.body));
        let _ = writeln!(text, "return {{ {} }};", given.join(", "));
        Ok(text)
    }
}

fn own((name, shown): &Pair<'_>) -> String {
    format!("{shown}: {name}")
}

fn renamed((theirs, name): &Pair<'_>) -> String {
    if theirs == name { (*name).to_owned() } else { format!("{theirs}: {name}") }
}

/// Where `from` leads to, seen from the module `path`: `view/app.js` and `../core/state.js` make
/// `core/state.js`.
fn beside(path: &str, from: &str) -> String {
    let mut way: Vec<_> = path.split('/').collect();
    way.pop();
    for step in from.split('/') {
        match step {
            "." => {}
            ".." => drop(way.pop()),
            _ => way.push(step),
        }
    }
    way.join("/")
}

/// Without the comments that name maps of sources: they are not here, and would be of one module.
fn without_maps(body: &str) -> String {
    let code = |line| str::split_once(line, "//# sourceMappingURL=").map_or(line, |(code, _)| code);
    body.lines().flat_map(|line| [code(line), "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULES: [(&str, &str); 10] = [
        (
            "main.js",
            "import { twice as two } from \"./view/a.js\";\nimport \"./core/b.js\";\ntwo(1);\n",
        ),
        (
            "view/a.js",
            "import * as b from \"../core/b.js\";\nexport const twice = (x) => b.add(x, x);\n",
        ),
        ("core/b.js", "export function add(a, b) {\n  return a + b;\n}"),
        ("lost.js", "import \"./nowhere.js\";"),
        ("round.js", "import \"./trip.js\";"),
        ("trip.js", "import \"./round.js\";"),
        ("asks.js", "import { add as a, plus } from \"./core/b.js\";"),
        ("passes.js", "export { plus as a } from \"./core/b.js\";"),
        ("again.js", "import { a } from \"./passes.js\";"),
        ("odd.js", "export * from \"./core/b.js\";"),
    ];

    fn of(main: &str) -> Result<String, Unfit> {
        let text_of =
            |path: &str| MODULES.iter().find(|(its, _)| *its == path).map(|(_, text)| *text);
        bundle(main, &text_of)
    }

    #[test]
    fn what_is_imported_stands_before_who_imports_it_and_once() {
        let expect = "// core/b.js\nconst its$0 = (() => {\nfunction add(a, b) {\n  return a + b;\n}\n\
            return { add: add };\n})();\n\
            // view/a.js\nconst its$1 = (() => {\nconst b = its$0;\n\nconst twice = (x) => b.add(x, x);\n\
            return { twice: twice };\n})();\n\
            // main.js\nconst its$2 = (() => {\nconst { twice: two } = its$1;\n\n\ntwo(1);\n\
            return {  };\n})();\n";
        assert_eq!(of("main.js").unwrap(), expect);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        check("lost.js", "in lost.js: nothing at \"./nowhere.js\"");
        check("round.js", "in trip.js: what it imports imports it: \"./round.js\"");
        check("asks.js", "in asks.js: \"./core/b.js\" exports no \"plus\"");
        check("passes.js", "in passes.js: \"./core/b.js\" exports no \"plus\"");
        check("again.js", "in passes.js: \"./core/b.js\" exports no \"plus\"");
        check(
            "odd.js",
            "in odd.js: a form of import or export that is not known here: \"export * from \\\"./core/b.js\\\";\"",
        );
        check("none.js", "in : nothing at \"none.js\"");
    }

    #[track_caller]
    fn check(main: &str, expect: &str) {
        assert_eq!(of(main).unwrap_err().to_string(), expect);
    }

    #[test]
    fn paths_lead_where_browsers_would_go() {
        let cases = [
            (("main.js", "./view/a.js"), "view/a.js"),
            (("view/a.js", "./b.js"), "view/b.js"),
            (("view/a.js", "../core/b.js"), "core/b.js"),
            (("a.js", "../../b.js"), "b.js"),
        ];
        for ((path, from), expect) in cases {
            assert_eq!(beside(path, from), expect, "{from} from {path}");
        }
    }

    #[test]
    fn maps_of_sources_are_named_no_more() {
        assert_eq!(without_maps("a();//# sourceMappingURL=a.mjs.map\nb();\n"), "a();\nb();\n");
    }
}
