//! How long what waits for answers is.

use std::sync::Arc;

use relais_cache::{Cache, Lookup, Settings};
use relais_net::Peer;

use super::world::{clock, proxy};
use crate::{Cached, Handler as _, Trust, cached::Question, says};

/// Longer pieces of memory take an allocator ten times as long, for each miss.
#[tokio::test]
async fn what_waits_for_an_answer_is_no_longer_than_an_allocator_has_at_hand() {
    let proxy = proxy("127.0.0.1:1".parse().unwrap(), "/");
    let cached = Cached::new(proxy, Cache::new(Settings::default()), Trust::default(), clock);
    let ask = || says::ask(Peer::Local, "/", &[("host", "h")]);
    let Some((key, Lookup::Ask(fetch))) = cached.shared.first_look(&ask()) else { panic!("a hit") };
    let of_proxy = size_of_val(&cached.shared.inner.answer(ask()));
    let asking = Arc::clone(&cached.shared).ask(fetch, Question::of(&ask()), ask());
    let found = cached.answered(Lookup::OnlyIfCached, key, ask());
    let all = [of_proxy, size_of_val(&asking), size_of_val(&found)];
    assert!(all.iter().all(|&bytes| bytes <= says::AT_HAND_BYTES), "{all:?}");
}
