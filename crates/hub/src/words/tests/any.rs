//! Whatever is typed and told: nothing panics, and nothing disturbs.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn nothing_typed_panics(line: String, here in any::<bool>()) {
        let lab = lab();
        _ = read(&line, here.then_some(&lab));
    }

    #[test]
    fn no_command_panics(rest: String) {
        for command in commands() {
            let line = format!("/{} {rest}", command.names[0]);
            _ = read(&line, Some(&lab()));
        }
    }

    #[test]
    fn nothing_that_disturbs_is_shown(from: String, body: String) {
        let told = Told::Event(message(at(&from, lab()), Kind::Text, &body));
        let shown = show(&told, Reader::default());
        let lines: Vec<_> = shown.lines().collect();
        prop_assert!(!lines.concat().contains(relais_wire::visible::is_disturbing));
        prop_assert_eq!(shown.matches('\n').count(), body.matches('\n').count() + 1);
        prop_assert!(lines[1..].iter().all(|line| line.starts_with("      ")));
    }
}
