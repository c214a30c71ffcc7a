//! Which requests a response is for: `Vary` ([RFC 9111 §4.1]).
//!
//! [RFC 9111 §4.1]: https://www.rfc-editor.org/rfc/rfc9111#section-4.1

mod normal;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT_LANGUAGE, CONTENT_LANGUAGE, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE, VARY,
    },
};
use relais_wire::list;

pub(crate) use self::normal::NormalForms;
use self::normal::normal;
use crate::request::Request;

/// A response that names more fields is for nobody else.
pub(crate) const VARY_NAMES_MAX: usize = 16;

/// What a response says that it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Vary {
    /// Nothing.
    Nothing,
    /// These fields of its request, each once.
    Fields(Vec<HeaderName>),
    /// More than a request says (`*`), or more than we can tell: nobody else gets it. So it is with
    /// what a cache asks by in its own words, conditions and ranges.
    Everything,
}

impl Vary {
    /// Reads it from a response's `headers`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut names: Vec<HeaderName> = Vec::new();
        let lines = headers.get_all(VARY).iter();
        for part in lines.flat_map(|line| list::parts(line.as_bytes(), b',')) {
            // `*` is a token as well.
            let Some(name) = HeaderName::from_bytes(part).ok().filter(|name| name != "*") else {
                return Self::Everything;
            };
            if [IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE].contains(&name) {
                return Self::Everything;
            }
            if !names.contains(&name) {
                names.push(name);
            }
            if names.len() > VARY_NAMES_MAX {
                return Self::Everything;
            }
        }
        if names.is_empty() { Self::Nothing } else { Self::Fields(names) }
    }
}

/// The fields that a stored response was chosen by, with the values that its request had.
#[derive(Clone, Debug, Default)]
pub struct Selecting {
    fields: Box<[Field]>,
    /// In which language the response is, in lower case, if it says one.
    language: Option<Box<[u8]>>,
}

/// Whether they are for the same requests, whatever came of these.
impl PartialEq for Selecting {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Selecting {}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: HeaderName,
    /// In normal form; `None` if the request had none.
    value: Option<Box<[u8]>>,
    /// As it came, where that is another one line: what most others of its kind will look like.
    raw: Option<Box<[u8]>>,
}

/// A field that a response was chosen by.
pub(crate) type SelectedBy<'a> = (&'a HeaderName, Option<&'a [u8]>, Option<&'a [u8]>);

impl Selecting {
    /// What `names` are in the request `asked`, as it is sent on; `None` if that cannot be told.
    pub fn of(names: &[HeaderName], asked: &Request<'_>) -> Option<Self> {
        let field = |name: &HeaderName| {
            let headers = asked.headers_with(name)?;
            let value = normal(name, headers).map(Vec::into_boxed_slice);
            let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
            let raw = match (lines.next(), lines.next()) {
                (Some(line), None) if Some(line) != value.as_deref() => Some(line.into()),
                _ => None,
            };
            Some(Field { name: name.clone(), value, raw })
        };
        let fields = names.iter().map(field).collect::<Option<_>>()?;
        Some(Self { fields, language: None })
    }

    /// The same, of the response with these `headers`: who would rather have its language than any
    /// other may have it ([RFC 9110 §12.5.4]).
    ///
    /// [RFC 9110 §12.5.4]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4
    pub(crate) fn of_response(self, headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(CONTENT_LANGUAGE).iter().map(HeaderValue::as_bytes);
        let only = values.next().filter(|value| values.next().is_none() && !value.contains(&b','));
        let language = only.map(|value| list::trim(value).to_ascii_lowercase().into());
        Self { language, ..self }
    }

    /// A part of it for each field: its name, its value in normal form, and the line that it came in
    /// if that is another.
    pub(crate) fn fields(&self) -> impl Iterator<Item = SelectedBy<'_>> {
        self.fields.iter().map(|field| (&field.name, field.value.as_deref(), field.raw.as_deref()))
    }

    /// The fields that it was chosen by, each with the value that its request had, as it came if that
    /// is known; `None` if it had none.
    pub fn values(&self) -> impl Iterator<Item = (&HeaderName, Option<&[u8]>)> {
        self.fields
            .iter()
            .map(|field| (&field.name, field.raw.as_deref().or(field.value.as_deref())))
    }

    /// The language that it is in, if it says one.
    pub(crate) fn language(&self) -> Option<&[u8]> {
        self.language.as_deref()
    }

    /// One of [these](Self::fields).
    pub(crate) fn of_fields(
        fields: impl IntoIterator<Item = (HeaderName, Option<Box<[u8]>>, Option<Box<[u8]>>)>,
        language: Option<Box<[u8]>>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value, raw)| Field { name, value, raw });
        Self { fields: fields.collect(), language }
    }

    /// What the same fields are in another request, as it is sent on; `None` if that cannot be told.
    pub(crate) fn of_other(&self, asked: &Request<'_>) -> Option<Self> {
        let names: Vec<_> = self.fields.iter().map(|field| field.name.clone()).collect();
        Self::of(&names, asked)
    }

    /// Whether the response is for the request `asked`.
    pub fn selects(&self, asked: &Request<'_>) -> bool {
        self.selects_by(asked, &mut NormalForms::default())
    }

    /// The same, with the `forms` that were read of the request for others.
    pub(crate) fn selects_by(&self, asked: &Request<'_>, forms: &mut NormalForms) -> bool {
        self.fields.iter().all(|field| {
            let Some(headers) = asked.headers_with(&field.name) else { return false };
            field.is_same(headers, forms)
                || field.name == ACCEPT_LANGUAGE
                    && self.language.is_some()
                    && self.language.as_deref() == forms.best(headers)
        })
    }

    /// Whether it is for every request.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields that it was chosen by.
    pub fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.fields.iter().map(|field| &field.name)
    }

    /// How many bytes of memory it has.
    pub fn weight(&self) -> usize {
        let text = |text: &Option<Box<[u8]>>| text.as_ref().map_or(0, |text| text.len());
        let field = |field: &Field| size_of::<Field>() + text(&field.value) + text(&field.raw);
        self.fields.iter().map(field).sum::<usize>() + text(&self.language)
    }
}

impl Field {
    fn is_same(&self, headers: &HeaderMap, forms: &mut NormalForms) -> bool {
        let mut lines = headers.get_all(&self.name).iter().map(HeaderValue::as_bytes);
        let (first, second) = (lines.next(), lines.next());
        if second.is_none() && (first == self.value.as_deref() || first == self.raw.as_deref()) {
            // An absent field has no raw form either, and must not match one that is there.
            return first.is_some() || self.value.is_none();
        }
        forms.value(&self.name, headers) == self.value.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, header::ACCEPT_ENCODING};
    use proptest::prelude::*;

    use super::{normal::WISHES_BYTES_MAX, *};
    use crate::{request::Sent, tests::fields};

    #[test]
    fn vary_names_fields_or_everything() {
        check_vary("", Some(""));
        check_vary("vary: ", Some(""));
        check_vary("vary: Foo, bar\nvary: foo,,BAZ", Some("foo bar baz"));
        check_vary("vary: *", None);
        check_vary("vary: , *", None);
        check_vary("vary: *, *", None);
        check_vary("vary: foo, *", None);
        check_vary("vary: foo\nvary: *", None);
        check_vary("vary: foo bar", None);
        check_vary("vary: \"foo\"", None);
        for ours in ["If-None-Match", "If-Modified-Since", "Range", "If-Range"] {
            check_vary(&format!("vary: foo, {ours}"), None);
        }
    }

    #[test]
    fn a_flood_of_names_is_everything() {
        let names: Vec<_> = (0..VARY_NAMES_MAX).map(|at| format!("x{at}")).collect();
        check_vary(&format!("vary: {}", names.join(",")), Some(&names.join(" ")));
        check_vary(&format!("vary: {}, y", names.join(",")), None);
    }

    #[test]
    fn the_same_value_is_the_same() {
        check("foo: 1", "foo: 1", true);
        check("foo: 1", "foo: 2", false);
        check("foo: 1", "", false);
        check("", "foo: 1", false);
        check("", "", true);
        check("foo: ", "", false);
        check("foo: ", "foo: ", true);
        check("", "foo: ", false);
        check("foo: a", "foo: A", false);
        check("foo: 1\nbar: 2", "bar: 2\nfoo: 1", true);
        check("foo: 1\nbar: 2", "foo: 1", false);
        check("foo: 1\nother: 2", "foo: 1\nother: 3", true);
    }

    #[test]
    fn spaces_and_lines_make_no_difference() {
        check("foo: 1, 2", "foo: 1\nfoo: 2", true);
        check("foo: 1,2", "foo: \t1 ,  2 ", true);
        check("foo: 1, 2", "foo: 2, 1", false);
        check("foo: 1,,2", "foo: 1, 2", false);
        check("foo: a b", "foo: a  b", false);
        check("foo: \"a, b\"", "foo: \"a,b\"", false);
        check("foo: \"a\\\", b\"", "foo: \"a\\\",b\"", false);
        check("foo: \"a\\\\\", b", "foo: \"a\\\\\",b", true);
    }

    #[test]
    fn very_many_wishes_are_compared_as_they_came() {
        let wishes =
            |count: usize, end: &str| format!("accept-encoding: {}{end}", "a,".repeat(count));
        let most = WISHES_BYTES_MAX / 2;
        check(&wishes(most - 1, "B"), &wishes(most - 1, "b"), true);
        check(&wishes(most, "B"), &wishes(most, "b"), false);
        check(&wishes(most, "b"), &wishes(most, "b"), true);
        check(&wishes(most, "b"), &wishes(most, " b"), true);
    }

    #[test]
    fn a_request_is_read_once_for_many_responses() {
        let names = [ACCEPT_LANGUAGE, ACCEPT_ENCODING];
        let (method, headers) = (Method::GET, fields("accept-language: a, b\naccept-encoding: x"));
        let asked = Request::of(&method, &headers);
        let mut forms = NormalForms::default();
        for number in 0..32 {
            let other = fields(&format!("accept-language: b,A\naccept-encoding: x{number}"));
            let selecting = Selecting::of(&names, &Request::of(&method, &other)).unwrap();
            assert!(!selecting.selects_by(&asked, &mut forms));
        }
        assert_eq!(forms.values.len(), 2);
    }

    #[test]
    fn case_and_full_weights_make_no_difference_to_wishes() {
        check("accept-language: EN , de", "accept-language: en,DE", true);
        check("accept-language: en, de", "accept-language: en\naccept-language: de", true);
        check("accept-language: en, de;q=1.0", "accept-language: en, de", true);
        check("accept-encoding: gzip", "accept-encoding: gzip, br", false);
        check("accept: text/html;level=A", "accept: text/html;level=a", false);
        check("accept: Text/HTML", "accept: text/html", true);
    }

    /// Browsers give each language a weight of its own.
    #[test]
    fn order_matters_where_it_may_be_a_wish() {
        check("accept-language: en, de", "accept-language: de, en", true);
        check("accept-language: en, de;q=1.0", "accept-language: de, en", true);
        check("accept-language: en;q=0.5, de", "accept-language: de,en;Q=0.5", true);
        check("accept-language: en;q=0.5, de", "accept-language: de;q=0.5, en", false);
        check("accept-language: a;q=0.5, b;q=0.5", "accept-language: b;q=0.5, a;q=0.5", true);
        check("accept-language: a;q=0.5, b;q=0.25", "accept-language: b;q=0.25, a;q=0.5", true);
        check("accept-language: a;q=x, b", "accept-language: b, a;q=x", true);
        check("accept-language: a;q=0, b;q=0.001", "accept-language: b;q=0.001, a;q=0", true);
        check("accept: text/html, a/json", "accept: a/json, text/html", false);
        check("accept: text/html, */*;q=0.8", "accept: */*;q=0.8, text/html", true);
        check("accept-encoding: gzip, br", "accept-encoding: br,gzip", true);
        check("accept-encoding: gzip;q=0.5, br", "accept-encoding: br;q=0.5, gzip", false);
    }

    #[test]
    fn who_wants_its_language_most_may_have_a_response() {
        let selects = |language: &str, asks: &str| {
            let (stored, asks) = (fields("accept-language: en, de"), fields(asks));
            let names = [ACCEPT_LANGUAGE];
            let selecting = Selecting::of(&names, &Request::of(&Method::GET, &stored)).unwrap();
            let selecting = selecting.of_response(&fields(language));
            selecting.selects(&Request::of(&Method::GET, &asks))
        };
        let german = "content-language: DE";
        assert!(selects(german, "accept-language: fr;q=0.5, de;q=1.0"));
        assert!(selects(german, "accept-language: de"));
        assert!(selects(german, "accept-language: *;q=0.1, de"));
        assert!(selects(german, "accept-language: de, en"), "as before");
        for asks in ["fr, de", "fr, de;q=0.5", "de-AT", "*", "de;q=0.5", "fr"] {
            assert!(!selects(german, &format!("accept-language: {asks}")), "for {asks}");
        }
        assert!(!selects(german, ""));
        for language in
            ["", "content-language: de, en", "content-language: de\ncontent-language: en"]
        {
            assert!(!selects(language, "accept-language: de"), "for {language:?}");
        }
    }

    proptest! {
        #[test]
        fn a_request_is_the_same_as_itself(one in "[a\", \\\\;=q1]{0,20}", two in "[a ,]{0,9}") {
            let lines = format!("foo: {one}\nfoo: {two}\naccept: {one}");
            check(&lines, &lines, true);
        }
    }

    #[track_caller]
    fn check_vary(lines: &str, expect: Option<&str>) {
        let names = match Vary::of(&fields(lines)) {
            Vary::Nothing => Some(String::new()),
            Vary::Fields(names) => {
                Some(names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(" "))
            }
            Vary::Everything => None,
        };
        assert_eq!(names.as_deref(), expect, "for {lines:?}");
    }

    #[track_caller]
    fn check(first: &str, second: &str, expect: bool) {
        let names = ["foo", "bar", "accept", "accept-language", "accept-encoding"];
        let (first, second) = (fields(first), fields(second));
        let asked = Request::of(&Method::GET, &first);
        let selecting = Selecting::of(&names.map(HeaderName::from_static), &asked).unwrap();
        let selects = selecting.selects(&Request::of(&Method::GET, &second));
        assert_eq!(selects, expect, "for {first:?} and {second:?}");
    }

    /// Sends `foo` as it says, if that can be told, and everything else as it came.
    #[derive(Debug)]
    struct FooIs(Option<HeaderMap>);

    impl Sent for FooIs {
        fn rewrites(&self, name: &HeaderName) -> bool {
            name == "foo"
        }

        fn headers(&self) -> Option<&HeaderMap> {
            self.0.as_ref()
        }
    }

    #[test]
    fn what_is_rewritten_is_judged_as_it_is_sent() {
        let check = |first: Option<&str>, second: Option<&str>, expect: Option<bool>| {
            let headers = fields("foo: as it came\nbar: 1");
            let sent = |lines: Option<&str>| FooIs(lines.map(fields));
            let (first, second) = (sent(first), sent(second));
            let asked = |sent| Request { sent: Some(sent), ..Request::of(&Method::GET, &headers) };
            let names = ["foo", "bar"].map(HeaderName::from_static);
            let selecting = Selecting::of(&names, &asked(&first));
            let selects = selecting.map(|selecting| selecting.selects(&asked(&second)));
            assert_eq!(selects, expect, "for {first:?} and {second:?}");
            let bar = Selecting::of(&names[1..], &asked(&first)).unwrap();
            assert!(bar.selects(&asked(&second)));
        };
        check(Some("foo: 1"), Some("foo: 1"), Some(true));
        check(Some("foo: 1"), Some("foo: 2"), Some(false));
        check(Some("foo: 1"), Some(""), Some(false));
        check(Some(""), Some("foo: 1\nbar: 2"), Some(false));
        check(Some("bar: 2"), Some("bar: 3"), Some(true));
        check(Some("foo: as it came"), None, Some(false));
        check(None, Some("foo: as it came"), None);
    }
}
