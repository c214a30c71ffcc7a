//! One expression evaluated, and its value or error made one line. Belongs into a child process.

use std::time::Duration;

use fend_core::{Context, FendResult, Interrupt, evaluate_with_interrupt};
use tokio::time::Instant;

use super::place::{Place, place};

/// How long an evaluation may take.
const EVALUATION_MAX: Duration = Duration::from_millis(200);

/// What is answered where that was not enough.
pub(super) const LATE: &str = "error: it takes longer than 200 ms";

/// The longest answer, with what says that it was cut.
const ANSWER_CHARS_MAX: usize = 500;

struct Deadline(Instant);

impl Interrupt for Deadline {
    fn should_interrupt(&self) -> bool {
        Instant::now() >= self.0
    }
}

/// The value of `expression`, or what is wrong with it and where.
///
/// Each has a context of its own: what one defines, another does not see. There are no exchange
/// rates, no time of day and no random numbers.
pub(super) fn evaluate(expression: &str) -> String {
    let deadline = Deadline(Instant::now() + EVALUATION_MAX);
    let answer = match value(expression, &deadline) {
        Ok(value) if value.output_is_empty() => "()".to_owned(),
        Ok(value) => value.get_main_result().to_owned(),
        Err(error) if error == INTERRUPTED => LATE.to_owned(),
        Err(error) => {
            let place = place(expression, &error).or_else(|| end_of_sense(expression, &deadline));
            format!("error: {error}{}", place.map(|place| format!(", {place}")).unwrap_or_default())
        }
    };
    one_line(&answer)
}

/// What fend says when it was interrupted.
const INTERRUPTED: &str = "interrupted";

fn value(expression: &str, deadline: &Deadline) -> Result<FendResult, String> {
    let mut context = Context::new();
    context.disable_rng();
    evaluate_with_interrupt(expression, &mut context, deadline)
}

/// Where the longest begin of `expression` that has a value ends, if it is found in time.
fn end_of_sense(expression: &str, deadline: &Deadline) -> Option<Place> {
    let mut ends = expression.char_indices().rev().map(|(end, _)| end);
    let end = ends.find(|end| {
        value(&expression[..*end], deadline).is_ok_and(|value| !value.output_is_empty())
    })?;
    let rest = &expression[end..];
    let end = end + rest.len() - rest.trim_start().len();
    Some(Place::At(expression[..end].chars().count() + 1))
}

/// `text` without line ends and controls, and cut.
fn one_line(text: &str) -> String {
    let blank = |char: char| if char.is_control() { ' ' } else { char };
    let mut chars = text.trim_end().chars().map(blank);
    let mut line: String = chars.by_ref().take(ANSWER_CHARS_MAX).collect();
    if chars.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_where_they_can_be() {
        check("2^200", "1606938044258990275541962092341162602522202993782792835301376");
        check("1/3 + 1/6", "0.5");
        check("0.1 + 0.2", "0.3");
        check("20!", "2432902008176640000");
        check("sqrt 2", "approx. 1.4142135624");
        check("100 C to F", "212 °F");
        check("3 * (4 + 5", "27");
    }

    #[test]
    fn units_are_converted() {
        check("3 km in miles", "approx. 1.8641135767 miles");
        check("1 hour + 30 min to s", "5400 s");
    }

    #[test]
    fn what_is_wrong_is_said_and_where() {
        check("1/0", "error: division by zero, at character 2");
        check("1 + foo", "error: unknown identifier 'foo', at character 5");
        check("2 +", "error: unexpected input found, at character 3");
        check("2 3 ) 4", "error: found an invalid token while expecting ')', at character 3");
        check("", "()");
        check("1 ? 2", "error: unexpected character '?', at character 3");
    }

    #[test]
    fn one_expression_knows_nothing_of_another() {
        check("x = 5", "5");
        check("x + 1", "error: unknown identifier 'x', at character 1");
    }

    #[test]
    fn what_needs_the_world_outside_is_refused() {
        for expression in ["1 EUR to USD", "today", "roll d6"] {
            let answer = evaluate(expression);
            assert!(answer.starts_with("error: "), "{expression}: {answer}");
        }
    }

    #[test]
    fn long_answers_are_cut_and_made_one_line() {
        let answer = evaluate("7^2000");
        assert_eq!((answer.chars().count(), answer.chars().last()), (500, Some('…')));
        assert_eq!(one_line("a\nb\u{1b}[31mc\n"), "a b [31mc");
    }

    #[track_caller]
    fn check(expression: &str, expect: &str) {
        assert_eq!(evaluate(expression), expect);
    }
}
