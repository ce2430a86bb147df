//! The layers of `src/`: who may import whom.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::common;

/// PHP's functions stand on the second layer, that on the first; a module imports downwards, and from its own folder.
const LAYERS: [&[&str]; 4] = [
    &["sys"],
    &["constants", "error", "socket"],
    &[
        "addrinfo",
        "bind",
        "connection",
        "create",
        "datagram",
        "event",
        "iovec",
        "last_error",
        "message",
        "netdb",
        "options",
        "select",
        "std_streams",
        "transfer",
    ],
    &["lessons", "lib"],
];

type Imports = BTreeMap<String, BTreeSet<String>>;

/// The files of `src/` without their comments, by path below it and without the ending: `iovec/buffers`.
fn files() -> BTreeMap<String, String> {
    let code = |text: String| {
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    let name = |path: &std::path::Path| {
        path.strip_prefix(common::root().join("src")).unwrap().with_extension("").to_str().unwrap().to_owned()
    };
    common::sources().into_iter().map(|(path, text)| (name(&path), code(text))).collect()
}

/// The module of a file that the layers speak of: its folder, but for the functions of the error slots.
fn module(file: &str) -> &str {
    if file == "error/last_error" { "last_error" } else { file.split('/').next().unwrap() }
}

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|modules| modules.contains(&module))
        .unwrap_or_else(|| panic!("{module} has no layer"))
}

/// The modules that `pattern` finds imported, by the module that imports them.
fn imports(pattern: &str, of: impl Fn(&str) -> Option<String>, code: &BTreeMap<String, String>) -> Imports {
    let import = Regex::new(pattern).unwrap();
    let mut imports = Imports::new();
    for (file, text) in code {
        let Some(name) = of(file) else { continue };
        let found =
            import.captures_iter(text).map(|found| found[1].to_owned()).filter(|other| *other != name);
        imports.entry(name.clone()).or_default().extend(found);
    }
    imports
}

/// A way from `module` back to itself.
fn circle(module: &str, imports: &Imports) -> Option<Vec<String>> {
    let mut ways = vec![vec![module.to_owned()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in imports.get(way.last()?).into_iter().flatten() {
            let longer = [way.clone(), vec![next.clone()]].concat();
            if next == module {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

#[test]
fn imports_point_down_a_layer_and_run_in_no_circle() {
    let imports = imports(r"\bcrate::\{?(\w+)", |file| Some(module(file).to_owned()), &files());
    for (name, others) in &imports {
        for other in others.iter().filter(|other| LAYERS.concat().contains(&other.as_str())) {
            assert!(layer(other) <= layer(name), "{name} imports {other}, which is above it");
        }
        if name != "lib" && name != "lessons" {
            assert_eq!(circle(name, &imports), None);
        }
    }
    let known: BTreeSet<&str> = LAYERS.concat().into_iter().collect();
    assert_eq!(imports.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_files_of_a_folder_import_one_another_in_no_circle() {
    let files = files();
    for folder in files.keys().filter_map(|file| file.rsplit_once('/')).map(|(folder, _)| folder) {
        if folder == "event" {
            continue;
        }
        let sibling = |file: &str| {
            file.rsplit_once('/').filter(|(above, _)| *above == folder).map(|(_, name)| name.to_owned())
        };
        let imports = imports(r"\bsuper::(\w+)", sibling, &files);
        for name in imports.keys() {
            assert_eq!(circle(name, &imports), None, "in {folder}");
        }
    }
}
