//! Has the linker write relocations small, where the system can read them so: the program is a
//! thirtieth smaller.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if is_release && has_relative_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether this is a system whose loader knows `DT_RELR`: glibc since 2.36.
fn has_relative_relocations() -> bool {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    let told = told.unwrap_or_default();
    let version = told.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'));
    let numbers =
        version.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let target = std::env::var("CARGO_CFG_TARGET_ENV").unwrap_or_default();
    numbers.is_some_and(|numbers: (u32, u32)| numbers >= (2, 36)) && target == "gnu"
}
