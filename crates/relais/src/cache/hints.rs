//! What else could be asked, where what was asked for is not stored: what is stored beside it.

use std::fmt::Write as _;

use http::Uri;
use relais_cache::{Cache, Explanation, Forward, Pattern, Reused, Step, Values};

/// So many are given.
const HINTS_MAX: usize = 3;

/// What to ask instead of `url`, which was explained.
///
/// *Cost*: where nothing is stored, of all that is in memory.
pub(super) fn of(cache: &Cache, url: &Uri, explained: &Explanation<Reused>) -> Vec<String> {
    match explained.verdict {
        Reused::Asks(Forward::OtherVariants) | Reused::OnlyIfCached(Forward::OtherVariants) => {
            let of = explained.steps.iter().find_map(|step| match step {
                Step::Variants { of, .. } => Some(of),
                _ => None,
            });
            let fields = of.into_iter().flatten().filter_map(fields);
            fields
                .take(HINTS_MAX)
                .map(|fields| format!("ask as one of those did:{fields}"))
                .collect()
        }
        Reused::Asks(Forward::Unknown) | Reused::OnlyIfCached(Forward::Unknown) => {
            let other = elsewhere(cache, url);
            other
                .map(|other| format!("it is stored for another host or port: {other}"))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The flags that say these values; `None` where a shell or a terminal would make another thing of
/// one.
fn fields(values: &Values) -> Option<String> {
    let mut flags = String::new();
    for (name, value) in values {
        match value {
            Some(value) if value.contains(|c: char| c == '\'' || c.is_control()) => return None,
            Some(value) => _ = write!(flags, " -H '{name}: {value}'"),
            None => _ = write!(flags, " (without `{name}`)"),
        }
    }
    Some(flags)
}

/// The same path and query, stored for another scheme, host or port.
fn elsewhere(cache: &Cache, url: &Uri) -> Option<String> {
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let glob = Pattern::Glob(["*://*", target].concat().parse().ok()?);
    let mut stored = cache.objects_in_memory(&glob);
    let other = stored.find(|object| object.key.path_and_query() == target)?;
    Some(other.key.as_str().to_owned())
}
