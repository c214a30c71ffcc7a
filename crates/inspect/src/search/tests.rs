use std::{fs, time::UNIX_EPOCH};

use relais_wire::exchange::Exchange;

use super::*;
use crate::filter::{Filter, Word};

/// Logs with the numbers from 0 on as URLs, so many in each.
fn logs(dir: &tempfile::TempDir, counts: &[usize]) -> Vec<Source> {
    let mut number = 0..;
    let mut write = |(index, count): (usize, &usize)| {
        let mut text = Vec::new();
        for number in number.by_ref().take(*count) {
            let url = format!("/{number}/{}", "x".repeat(500)).into();
            Exchange { url, ..Exchange::at(UNIX_EPOCH) }.print(&mut text);
        }
        let path = dir.path().join(index.to_string());
        fs::write(&path, text).unwrap();
        Source::open(&path).unwrap()
    };
    counts.iter().enumerate().map(&mut write).collect()
}

fn judge(word: &str) -> Judge {
    Judge::new(Filter { word: Some(Word::new(word)), ..Filter::default() })
}

/// The numbers of the exchanges that were found.
fn numbers(text: &[u8]) -> Vec<u32> {
    let of = |line: &[u8]| {
        let url = Exchange::read(line).unwrap().url;
        url.split('/').nth(1).unwrap().parse::<u32>().unwrap()
    };
    text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(of).collect()
}

#[test]
fn what_is_found_comes_in_the_order_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let sources = logs(&dir, &[3000, 0, 1, 4000]);
    assert!(sources[0].len() > 2 * PIECE_BYTES, "more than one piece");
    let (mut found, mut lines) = (Vec::new(), [0; 4]);
    search(&sources, &judge("/"), Keep::Lines, |source, findings| {
        let index = source.path().file_name().unwrap().to_str().unwrap().parse::<usize>().unwrap();
        lines[index] += findings.lines;
        assert_eq!(findings.exchanges, findings.matched);
        found.extend(numbers(&findings.text));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(lines, [3000, 0, 1, 4000]);
    assert!(found.into_iter().eq(0..7001));
}

#[test]
fn who_breaks_off_gets_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let sources = logs(&dir, &[10_000]);
    let mut times = 0;
    let searched = search(&sources, &judge("/"), Keep::Count, |_, _| {
        times += 1;
        ControlFlow::Break(())
    });
    assert!(searched.is_ok() && times == 1, "{times}");
}

#[test]
fn nothing_to_search_is_searched_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for sources in [logs(&dir, &[]), logs(&dir, &[0])] {
        search(&sources, &judge("/"), Keep::Lines, |_, _| unreachable!("no piece")).unwrap();
    }
}

#[test]
fn nobody_runs_far_ahead_of_who_is_waited_for() {
    let order = Order::new(100, 3);
    let mut claims: Vec<_> = (0..3).map(|_| order.claim().unwrap()).collect();
    assert_eq!(claims.iter().map(|claim| claim.number).collect::<Vec<_>>(), [0, 1, 2]);
    thread::scope(|scope| {
        let fourth = scope.spawn(|| order.claim().unwrap().number);
        claims[0].found = Ok(Findings { matched: 7, ..Findings::default() });
        claims.truncate(1);
        assert!(!fourth.is_finished(), "it waits until the first is taken");
        claims.clear();
        assert_eq!(order.wait_for(0).unwrap().matched, 7);
        assert_eq!(fourth.join().unwrap(), 3);
    });
    let broken = order.wait_for(1).unwrap_err();
    assert_eq!(broken.to_string(), "its search broke off", "it was dropped before it found");
    drop(End(&order));
    assert!(order.claim().is_none());
}
