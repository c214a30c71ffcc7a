//! Configurations that are broken on purpose, each beside what is said about it.
//!
//! `RELAIS_EXPECT=write cargo nextest run broken` writes down what is said now, to be read in the
//! diff.

use std::{env, fs, path::Path};

use crate::program::command;

#[test]
fn each_broken_configuration_is_told_as_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let data = tempfile::tempdir().unwrap();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 10);
    for name in names {
        let output = command(&folder, data.path(), &["check", &name]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let beside = folder.join(name.replace(".toml", ".txt"));
        if env::var_os("RELAIS_EXPECT").is_some() {
            fs::write(&beside, &said).unwrap();
        }
        assert_eq!(said, fs::read_to_string(&beside).unwrap(), "{name}");
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(output.stdout.is_empty(), "{name}");
    }
}
