//! The page for who writes a client has every command.

use super::*;

/// The table of the reference.
fn table() -> String {
    let mut table = "| typed | does |\n|---|---|\n".to_owned();
    for (command, (line, does)) in commands().zip(help(Lang::En)) {
        let others = command.names[1..].iter().map(|name| format!(", `/{name}`"));
        let others: String = others.collect();
        table.push_str(
            &["| `", &line.replace('|', "\\|"), "`", &others, " | ", &does, " |\n"].concat(),
        );
    }
    table
}

#[test]
fn the_reference_has_every_command() {
    let page = include_str!("../../../../../docs/reference/hub-protocol.md");
    assert!(page.ends_with(&table()), "expected at its end:\n{}", table());
}
