//! The calculator's children, which are the program itself: what is asked of them must not outlive
//! its answer.

use relais_net::Client;
use relais_talk::calc::{Calculator, Program};

/// Asks one child for these, each followed by an expression that has to be answered.
#[track_caller]
fn check(hostile: &[(&str, &str)]) {
    let arguments = vec!["calculator-child".to_owned()];
    let program = Program { path: env!("CARGO_BIN_EXE_relais").into(), arguments };
    let calculator = Calculator::new(program, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ask = |expression: &str| runtime.block_on(calculator.value(Client::Local, expression));
    for (expression, expect) in hostile {
        let found = ask(expression);
        assert!(found.starts_with(expect), "{expression:.40}: {found}");
        assert_eq!(ask("21 * 2"), "42", "after {expression:.40}");
    }
}

#[test]
fn what_takes_long_is_stopped_and_the_next_is_answered() {
    let late = "error: it takes longer than 200 ms";
    check(&[("1<<10^9", late), ("10d1000", late), ("1000000!", late)]);
}

#[test]
fn what_is_deep_is_refused_or_answered() {
    check(&[
        (&"(".repeat(1_200), "error: 1200 bytes: expected at most 256"),
        (&format!("{}1{}", "(".repeat(127), ")".repeat(127)), "1"),
        (&"-".repeat(256), ""),
        (&"2^".repeat(127), "error: "),
    ]);
}

#[test]
fn what_the_world_outside_knows_is_not_told() {
    check(&[("1 EUR to USD", "error: "), ("today", "error: "), ("roll d6", "error: ")]);
}
