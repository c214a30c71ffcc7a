//! One module of the page, taken apart: what it imports, what it exports, and the rest.
//!
//! Not a reader of JavaScript: it knows the few forms that the page's modules are written in, at the
//! beginning of a line or right behind another statement, and refuses every other.

use super::Unfit;

/// A name in a list, and what it is called on the other side: `a as b`.
pub(super) type Pair<'a> = (&'a str, &'a str);

/// What an `import` makes of another module.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Names<'a> {
    /// `{ a, b as c }`, or nothing; `default` is a name, too.
    Each(Vec<Pair<'a>>),
    /// `* as it`.
    All(&'a str),
}

/// A module, taken apart.
#[derive(Debug, Default)]
pub(super) struct Module<'a> {
    /// What is imported, from where, as it is written there.
    pub imports: Vec<(Names<'a>, &'a str)>,
    /// Its own names that are exported, and as what.
    pub exports: Vec<Pair<'a>>,
    /// Names of other modules that are exported, as what, and from where.
    pub passed_on: Vec<(Vec<Pair<'a>>, &'a str)>,
    /// All else.
    pub body: String,
}

/// What an `export default` is called in the body.
pub(super) const DEFAULT: &str = "its$default";

/// What stands where a module is to be found that belongs to no form known here.
const NEVER: [&str; 3] = ["import(", "import.meta", "\nawait "];

impl<'a> Module<'a> {
    /// Takes `text`, which is the module `path`, apart. One pass over it.
    ///
    /// # Errors
    ///
    /// [`Unfit::Form`], with the line, where something is imported or exported in another form than
    /// those known.
    pub(super) fn read(path: &str, text: &'a str) -> Result<Self, Unfit> {
        let unfit = |at: &str| Unfit::form(path, at);
        if let Some(at) = NEVER.iter().find_map(|what| text.find(what)) {
            return Err(unfit(text[at..].trim_start()));
        }
        let mut module = Self::default();
        let mut rest = text;
        loop {
            let (before, statement) = rest.split_at(next_statement(rest));
            module.body.push_str(before);
            if statement.is_empty() {
                return Ok(module);
            }
            rest = module.take(statement).ok_or_else(|| unfit(statement))?;
        }
    }

    /// Takes the statement that `text` begins with. Gives what is behind it.
    fn take(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix("import") {
            return self.import(rest.trim_start());
        }
        let rest = text.strip_prefix("export")?.trim_start();
        if let Some(list) = rest.strip_prefix('{') {
            return self.export_list(list);
        }
        if let Some(value) = rest.strip_prefix("default ") {
            self.exports.push((DEFAULT, "default"));
            self.body.extend(["const ", DEFAULT, " = "]);
            return Some(value);
        }
        let name = declared(rest)?;
        self.exports.push((name, name));
        // What is declared stays in the body; only that it is exported is said elsewhere.
        Some(rest)
    }

    fn import(&mut self, text: &'a str) -> Option<&'a str> {
        let (names, rest) = if text.starts_with('"') {
            (Names::Each(Vec::new()), text)
        } else if let Some(list) = text.strip_prefix('{') {
            let (pairs, rest) = pairs(list)?;
            (Names::Each(pairs), rest.trim_start().strip_prefix("from")?)
        } else if let Some(rest) = text.strip_prefix("* as ") {
            let (name, rest) = word(rest)?;
            (Names::All(name), rest.trim_start().strip_prefix("from")?)
        } else {
            let (name, rest) = word(text)?;
            (Names::Each(vec![("default", name)]), rest.trim_start().strip_prefix("from")?)
        };
        let (from, rest) = source(rest)?;
        self.imports.push((names, from));
        Some(rest)
    }

    fn export_list(&mut self, list: &'a str) -> Option<&'a str> {
        let (pairs, rest) = pairs(list)?;
        if let Some(rest) = rest.trim_start().strip_prefix("from") {
            let (from, rest) = source(rest)?;
            self.passed_on.push((pairs, from));
            return Some(rest);
        }
        self.exports.extend(pairs);
        rest.strip_prefix(';')
    }
}

/// Where in `text` the next `import` or `export` stands that begins a statement; its end if none does.
fn next_statement(text: &str) -> usize {
    let found = ["import", "export"].iter().flat_map(|word| text.match_indices(word));
    let begins = |at: usize, word: &str| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        before.is_none_or(|one| matches!(one, '\n' | ';' | '}'))
            && after.is_none_or(|one| !is_of_word(one))
    };
    found.filter(|(at, word)| begins(*at, word)).map(|(at, _)| at).min().unwrap_or(text.len())
}

/// What is declared by `text`: a constant, a function or a class. What may become something else later
/// is none, since whoever imports it has it as it was.
fn declared(text: &str) -> Option<&str> {
    let text = text.strip_prefix("async ").unwrap_or(text);
    let kinds = ["const ", "function* ", "function ", "class "];
    let rest = kinds.iter().find_map(|kind| text.strip_prefix(kind))?;
    Some(word(rest)?.0)
}

/// The names of a list up to its `}`, and what is behind.
fn pairs(list: &str) -> Option<(Vec<Pair<'_>>, &str)> {
    let (inside, rest) = list.split_once('}')?;
    let each = inside.split(',').map(str::trim).filter(|one| !one.is_empty());
    Some((each.map(pair).collect::<Option<_>>()?, rest))
}

fn pair(text: &str) -> Option<Pair<'_>> {
    let (one, other) = text.split_once(" as ").unwrap_or((text, text));
    let is_name = |text: &str| word(text).is_some_and(|(_, rest)| rest.is_empty());
    (is_name(one) && is_name(other)).then_some((one, other))
}

/// `"./from.js";`, and what is behind.
fn source(text: &str) -> Option<(&str, &str)> {
    let (from, rest) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    Some((from, rest.strip_prefix(';')?))
}

fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|one| !is_of_word(one)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn is_of_word(one: char) -> bool {
    one.is_alphanumeric() || one == '_' || one == '$'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_imported_is_known() {
        let each = |names: &[Pair<'static>]| Names::Each(names.to_vec());
        imports("import \"./a.js\";", &[(each(&[]), "./a.js")]);
        imports(
            "import { b, c as d } from \"./a.js\";",
            &[(each(&[("b", "b"), ("c", "d")]), "./a.js")],
        );
        imports("import {\n  b,\n} from \"./a.js\";", &[(each(&[("b", "b")]), "./a.js")]);
        imports("import * as a from \"./a.js\";", &[(Names::All("a"), "./a.js")]);
        imports("import a from \"./a.js\";", &[(each(&[("default", "a")]), "./a.js")]);
        let packed = [(each(&[("b", "$")]), "./a.js"), (each(&[("c", "c")]), "./d.js")];
        imports("import{b as $}from\"./a.js\";import{c}from\"./d.js\";", &packed);
    }

    #[track_caller]
    fn imports(text: &str, expect: &[(Names<'_>, &str)]) {
        let module = Module::read("x.js", text).unwrap();
        assert_eq!((module.imports.as_slice(), module.body.trim()), (expect, ""), "{text}");
    }

    #[test]
    fn what_is_exported_is_known_and_stays_declared() {
        exports("export const a = 1;", &[("a", "a")], "const a = 1;");
        exports("let x;\nexport function a() {}", &[("a", "a")], "let x;\nfunction a() {}");
        exports("export async function a() {}", &[("a", "a")], "async function a() {}");
        exports("export function* a() {}", &[("a", "a")], "function* a() {}");
        exports("export class A extends B {}", &[("A", "A")], "class A extends B {}");
        exports("let x;export{x as a,x};", &[("x", "a"), ("x", "x")], "let x;");
        exports(
            "export default (s) => s;",
            &[(DEFAULT, "default")],
            "const its$default = (s) => s;",
        );
        exports("// a thing to export\n", &[], "// a thing to export\n");
        exports(
            "const exports = imported;\nimportant();",
            &[],
            "const exports = imported;\nimportant();",
        );
    }

    #[track_caller]
    fn exports(text: &str, expect: &[Pair<'_>], body: &str) {
        let module = Module::read("x.js", text).unwrap();
        assert_eq!((module.exports.as_slice(), module.body.as_str()), (expect, body), "{text}");
    }

    #[test]
    fn what_is_only_passed_on_is_known() {
        let module = Module::read("x.js", "export{a,b as c}from\"./y.js\";").unwrap();
        assert_eq!(module.passed_on, [(vec![("a", "a"), ("b", "c")], "./y.js")]);
    }

    #[test]
    fn every_other_form_is_refused_with_its_line() {
        refused("import a, { b } from \"./a.js\";");
        refused("import { b } from './a.js';");
        refused("import { b } from \"./a.js\"");
        refused("import data from \"./a.json\" with { type: \"json\" };");
        refused("import { \"a b\" as c } from \"./a.js\";");
        refused("import");
        refused("export * from \"./a.js\";");
        refused("export let a = 1;");
        refused("export var a = 1;");
        refused("export const { a, b } = c;");
        refused("export { a }");
        refused("export");
        refused("const a = await import(\"./a.js\");");
        refused("const here = import.meta.url;");
        refused("await something();");
    }

    #[track_caller]
    fn refused(text: &str) {
        let all = format!("const before = 1;\n{text}\n");
        let Err(error) = Module::read("view/x.js", &all) else { panic!("{text:?} is read") };
        let told = error.to_string();
        assert!(
            told.starts_with("in view/x.js: ") && told.contains("a form of import or export"),
            "{told}"
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*", packed in "(import|export|[{}\"; *,a]|from|default | as |\n){0,30}") {
            let _ = Module::read("x.js", &text);
            let _ = Module::read("x.js", &packed);
        }
    }
}
