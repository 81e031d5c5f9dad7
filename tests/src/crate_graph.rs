//! Who may import whom: data flows one way, and the two programs know nothing of each other.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate of ours and those of ours that it may depend on. Tests may depend on anything.
const RULE: &[(&str, &[&str])] = &[
    ("resample", &[]),
    ("pixel", &["resample"]),
    ("motion", &["pixel"]),
    ("film", &["pixel"]),
    ("clips", &[]),
    ("damage", &["pixel"]),
    ("torture", &["pixel"]),
    ("kernel", &[]),
    ("common", &["kernel", "pixel"]),
    ("datasets", &["pixel"]),
    ("trainer", &["common", "datasets", "motion", "pixel"]),
    ("infer", &["common", "film", "motion", "pixel"]),
    ("xtask", &["pixel", "torture"]),
    ("e2e", &[]),
];

/// Crates that must do without tensors, so that they build in seconds and xtask before libtorch is there.
const WITHOUT_TENSORS: &[&str] =
    &["resample", "pixel", "motion", "film", "clips", "damage", "torture", "kernel", "datasets", "xtask"];

#[test]
fn crates_import_only_what_they_may() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo metadata");
    let packages: BTreeMap<&str, _> =
        metadata.packages.iter().map(|package| (package.name.as_str(), package)).collect();
    let rule: BTreeMap<&str, &[&str]> = RULE.iter().copied().collect();
    assert_eq!(
        packages.keys().collect::<BTreeSet<_>>(),
        rule.keys().collect::<BTreeSet<_>>(),
        "every crate has its line in the rule"
    );

    for (name, package) in &packages {
        let dependencies = package.dependencies.iter().filter(|it| it.kind != DependencyKind::Development);
        for dependency in dependencies.map(|it| it.name.as_str()) {
            let is_ours = packages.contains_key(dependency);
            assert!(!is_ours || rule[name].contains(&dependency), "{name} must not depend on {dependency}");
            let is_tensors = matches!(dependency, "tch" | "torch-sys");
            assert!(!is_tensors || !WITHOUT_TENSORS.contains(name), "{name} must do without {dependency}");
        }
    }
}
