//! One module of the page, taken apart: what it imports, what it exports, and the rest.
//!
//! Not a reader of JavaScript: it knows the few forms that the page's modules are written in, at the
//! beginning of a line or right behind another statement. It refuses what it can tell by the line:
//!
//! - every other form of `import` and `export`, and an `import` behind anything but comments and others;
//! - `import()`, `import.meta`, and an `await` in a line that is not indented and has no `async`;
//! - an `export const` that declares two, if the comma is in its first line or behind its last bracket;
//! - an `export default` of a function or class with a name, which the module could not call it by;
//! - what is exported by a list though a line that begins with `let` declares it, before any `=`.
//!
//! What it cannot tell: an `export` at the beginning of a line of a template or a comment, which is taken
//! for a statement; and what is exported and changed later though `var`, or a `let` further on in a line,
//! declares it (as made smaller modules of others have it). Whoever imports that has it as it was when
//! its module had run.

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

/// What stands in no module of a form known here.
const NEVER: [&str; 2] = ["import(", "import.meta"];

impl<'a> Module<'a> {
    /// Takes `text`, which is the module `path`, apart. One pass over it.
    ///
    /// # Errors
    ///
    /// [`Unfit::Form`], with the line, where something is imported or exported in another form than
    /// those known, as far as a line tells: see above.
    pub(super) fn read(path: &str, text: &'a str) -> Result<Self, Unfit> {
        let unfit = |at: &str| Unfit::form(path, at);
        if let Some(at) = NEVER.iter().find_map(|what| text.find(what)) {
            return Err(unfit(&text[at..]));
        }
        if let Some(line) = text.lines().find(|line| waits(line)) {
            return Err(unfit(line));
        }
        let mut module = Self::default();
        let mut rest = text;
        loop {
            let (before, statement) = rest.split_at(next_statement(rest));
            module.body.push_str(before);
            if statement.is_empty() {
                let variable = module.variable().map(unfit);
                return variable.map_or(Ok(module), Err);
            }
            rest = module.take(statement).ok_or_else(|| unfit(statement))?;
        }
    }

    /// Takes the statement that `text` begins with. Gives what is behind it.
    fn take(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = text.strip_prefix("import") {
            // Behind other code it may be a line of a text.
            return is_bare(&self.body).then(|| self.import(rest.trim_start()))?;
        }
        let rest = text.strip_prefix("export")?.trim_start();
        if let Some(list) = rest.strip_prefix('{') {
            return self.export_list(list);
        }
        if let Some(value) = rest.strip_prefix("default ") {
            if is_named(value) {
                return None;
            }
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

    /// The line that declares something that is exported and may become something else later.
    fn variable(&self) -> Option<&str> {
        let is_shown = |name: &str| self.exports.iter().any(|(own, _)| *own == name);
        self.body.lines().find(|line| {
            let declared = line.strip_prefix("let ").unwrap_or_default();
            let names = declared.split(['=', ';']).next().unwrap_or_default();
            names.split(',').any(|name| is_shown(name.trim()))
        })
    }
}

/// Whether `line` waits at the top of its module, and not inside a function.
fn waits(line: &str) -> bool {
    let has = |what: &str| line.split(|one| !is_of_word(one)).any(|word| word == what);
    !line.starts_with([' ', '\t', '/']) && has("await") && !has("async")
}

/// Whether `text` has nothing but whole comments.
fn is_bare(text: &str) -> bool {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = match rest.get(..2) {
            Some("//") => "\n",
            Some("/*") => "*/",
            _ => return false,
        };
        let Some((_, behind)) = rest.split_once(end) else { return false };
        rest = behind.trim_start();
    }
    true
}

/// Whether `value` is a function or a class with a name, which its module could call it by.
fn is_named(value: &str) -> bool {
    let value = value.strip_prefix("async ").unwrap_or(value);
    let kinds = ["function*", "function", "class"];
    let rest = kinds.iter().find_map(|kind| value.strip_prefix(kind)).unwrap_or_default();
    rest.starts_with(' ') && word(rest.trim_start()).is_some()
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

/// What is declared by `text`: one constant, a function or a class. What may become something else later
/// is none, since whoever imports it has it as it was.
fn declared(text: &str) -> Option<&str> {
    if text.starts_with("const ") && has_another(text) {
        return None;
    }
    let text = text.strip_prefix("async ").unwrap_or(text);
    let kinds = ["const ", "function* ", "function ", "class "];
    let rest = kinds.iter().find_map(|kind| text.strip_prefix(kind))?;
    Some(word(rest)?.0)
}

/// Whether the statement `text` declares a second name: has a comma outside all brackets and strings in
/// its first line, or right behind the brackets with which its last line begins.
fn has_another(text: &str) -> bool {
    let mut lines = text.lines();
    let (mut depth, mut quote, mut is_escaped) = (0_i32, None, false);
    for one in lines.next().unwrap_or_default().chars() {
        match one {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if quote.is_some() => quote = quote.filter(|begun| *begun != one),
            '"' | '\'' | '`' => quote = Some(one),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => return true,
            _ => {}
        }
    }
    let last = lines.find(|line| !line.starts_with([' ', '\t']) && !line.is_empty());
    let behind = last.unwrap_or_default().trim_start_matches([')', ']', '}']);
    behind.starts_with(',')
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
        exports("const x = 1;export{x as a,x};", &[("x", "a"), ("x", "x")], "const x = 1;");
        exports(
            "export const a = (b, c) => [b, \",\"];",
            &[("a", "a")],
            "const a = (b, c) => [b, \",\"];",
        );
        exports(
            "export default (s) => s;",
            &[(DEFAULT, "default")],
            "const its$default = (s) => s;",
        );
        exports(
            "export default function(s) {}",
            &[(DEFAULT, "default")],
            "const its$default = function(s) {}",
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
    fn what_waits_inside_a_function_does_not_wait_at_the_top() {
        check_waits("const a = async () => await b();", false);
        check_waits("  await b();", false);
        check_waits("// await b();", false);
        check_waits("const awaited = 1;", false);
        check_waits("const a = await b();", true);
    }

    #[track_caller]
    fn check_waits(line: &str, expect: bool) {
        assert_eq!(Module::read("x.js", line).is_err(), expect, "{line}");
    }

    #[test]
    fn comments_alone_may_stand_before_an_import() {
        imports_behind("/** What this is. */\n\n// And why.\n", true);
        imports_behind("import \"./b.js\";\nexport { c } from \"./c.js\";\n", true);
        imports_behind("a();\n", false);
        imports_behind("/*\n", false);
        imports_behind("// Not;", false);
    }

    #[track_caller]
    fn imports_behind(before: &str, expect: bool) {
        let text = format!("{before}import \"./a.js\";\n");
        assert_eq!(Module::read("x.js", &text).is_ok(), expect, "{text}");
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
        refused("const x = await f();");
        refused("export const x = await f();");
        refused("export const a = 1, b = 2;");
        refused("export const a = 1,\n  b = 2;");
        refused("export const a = {\n  c: 1,\n}, b = 2;");
        refused("export default function f() {}\nf();");
        refused("export default async function f() {}");
        refused("export default function* f() {}");
        refused("export default class A {}");
        refused("let x;\nexport { x };\nx = 1;");
        refused("let a, x = 1;\nexport { a, x as y };");
        refused("const text = `\nimport \"./a.js\";\n`;");
    }

    #[track_caller]
    fn refused(text: &str) {
        let all = format!("import \"./before.js\";\n{text}\n");
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
