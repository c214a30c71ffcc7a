//! What one client can make the cache hold, and do.

use super::world::World;
use crate::Settings;

const NOBODY: (u16, &str, &str) = (0, "", "");
const VARIES: &str = "cache-control: max-age=60\nvary: x-a";

#[test]
fn variants_of_one_url_take_no_memory_from_others() {
    const COUNT: u32 = 10_000;
    const MEMORY: u64 = 4 << 20;
    let world =
        World::with(Settings { memory: MEMORY, object_max: 64 << 10, ..Settings::default() });
    let body = "x".repeat(1000);
    let others: Vec<_> = (0..100).map(|number| format!("GET /{number}")).collect();
    for other in &others {
        world.ask(0, other, (200, "cache-control: max-age=60", other));
        world.ask(0, other, NOBODY);
    }
    for number in 0..COUNT {
        world.ask(1, &format!("GET /flood\nx-a: {number}"), (200, VARIES, &body));
        assert!(number % 1000 > 0 || world.cache.bytes() <= MEMORY);
    }
    assert_eq!(world.cache.keys(), others.len() + 1);
    for other in &others {
        assert_eq!(world.ask(2, other, NOBODY), format!("200 {other} | hit; ttl=58"));
    }
    let last = format!("GET /flood\nx-a: {}", COUNT - 1);
    assert_eq!(world.ask(2, &last, NOBODY), format!("200 {body} | hit; ttl=59"));
    let first = world.ask(2, "GET /flood\nx-a: 0", NOBODY);
    assert_eq!(first, "502 nothing is stored");
}
