//! What is stored, as JSON.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, header::CONTENT_TYPE};
use relais_cache::{
    Cache, Counts, Object, Settings, Tier,
    disk::{DiskState, DiskStats},
};
use serde_json::{Value, json};

/// How much is told of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// What a list has.
    Line,
    /// All there is, fields included.
    All,
}

/// Tells of an `object` in the cache of the proxy called `name`, at `now`.
pub(super) fn told(
    name: &str,
    object: &Object,
    (settings, now): (&Settings, SystemTime),
    detail: Detail,
) -> Value {
    let Object { key, stored, bytes, tier } = object;
    let terms = stored.terms();
    let headers = stored.headers();
    let age = terms.age(now, settings).map(|age| age.as_secs());
    let lifetime = terms.lifetime.duration.as_secs();
    let left = |age: u64| i64::try_from(lifetime).ok()?.checked_sub(i64::try_from(age).ok()?);
    let vary: Vec<_> = stored.selecting().names().map(HeaderName::as_str).collect();
    let lossy = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let by = stored.selecting().values().map(|(name, value)| (name.clone(), value.map(lossy)));
    let by = super::sentences::values_as_json(&by.collect::<Vec<_>>());
    let mut told = json!({
        "proxy": name,
        "url": key.as_str(),
        "apart_by": key.apart_by(),
        "vary": vary,
        "for": by,
        "status": stored.status().as_u16(),
        "type": text(&headers, &CONTENT_TYPE),
        "bytes": bytes,
        "tier": match tier {
            Tier::Memory => "memory",
            Tier::Disk => "disk",
        },
        "age": age,
        "ttl": age.and_then(left),
        "tags": stored.tags(),
    });
    if detail == Detail::All {
        told["lifetime"] = lifetime.into();
        told["basis"] = super::sentences::basis(terms.lifetime.basis).into();
        told["memory"] = stored.weight().into();
        let field = |(name, value): (&HeaderName, &http::HeaderValue)| {
            json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])
        };
        told["fields"] = headers.iter().map(field).collect();
    }
    told
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Value {
    let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    value.map_or(Value::Null, Into::into)
}

/// Tells how much is in the `cache` of the proxy called `name`.
pub(super) fn stats(name: &str, cache: &Cache) -> Value {
    let settings = cache.settings();
    let Counts { hits, stale, revalidated, misses, bypassed, collapsed, brought_up } =
        cache.counts();
    let requests = json!({
        "hits": hits,
        "stale": stale,
        "revalidated": revalidated,
        "misses": misses,
        "bypassed": bypassed,
        "collapsed": collapsed,
        "brought_up": brought_up,
    });
    json!({
        "proxy": name,
        "keys": cache.keys(),
        "tags": cache.tags(),
        "bytes": cache.bytes(),
        "memory": settings.memory,
        "object_max": settings.object_max,
        "requests": requests,
        "disk": cache.disk().map(|disk| of_disk(&disk.stats(), &disk.state())),
    })
}

/// Tells how much there is on a disk, and what became of it since the start.
pub(super) fn of_disk(counts: &DiskStats, state: &DiskState) -> Value {
    let why = match state {
        DiskState::Working => None,
        DiskState::Degraded { why } | DiskState::Ended { why } => Some(why),
    };
    json!({
        "objects": counts.objects,
        "bytes": counts.bytes,
        "bytes_max": counts.bytes_max,
        "index_bytes": counts.index_bytes,
        "stored": counts.stored,
        "not_stored": counts.not_stored,
        "evicted": counts.evicted,
        "purged": counts.purged,
        "purges": counts.purges,
        "bad": counts.bad,
        "fails": why,
    })
}
