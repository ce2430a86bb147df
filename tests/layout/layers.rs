//! The layers of `src/`: who may import whom.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::common;

/// PHP's functions stand on the second layer, that on the first; a module imports downwards, and from its own folder.
const LAYERS: [&[&str]; 4] = [
    &["sys"],
    &["arguments", "constants", "error", "socket"],
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
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        flattened(&lines.join("\n"))
    };
    let name = |path: &std::path::Path| {
        path.strip_prefix(common::root().join("src")).unwrap().with_extension("").to_str().unwrap().to_owned()
    };
    common::sources().into_iter().map(|(path, text)| (name(&path), code(text))).collect()
}

/// The same where a module within the file is not one of its own: one `super` less there.
fn flattened(code: &str) -> String {
    let block = Regex::new(r"(?ms)^(?:pub(?:\(\w+\))? )?mod \w+ \{\n.*?^\}$").unwrap();
    let chain = Regex::new(r"\bsuper::((?:super::)*)").unwrap();
    block
        .replace_all(code, |found: &regex::Captures| chain.replace_all(&found[0], "self::$1").into_owned())
        .into_owned()
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

/// The paths that a file names from `crate::` or `super::` on, with groups taken apart: `options::table`, `sys`.
fn paths(file: &str, code: &str) -> BTreeSet<String> {
    let own: Vec<&str> = file.split('/').collect();
    let start = Regex::new(r"\b(crate|super)((?:::super)*)::").unwrap();
    let mut paths = BTreeSet::new();
    for found in start.captures_iter(code) {
        let base = if &found[1] == "crate" {
            Some(&own[..0])
        } else {
            own.len().checked_sub(1 + found[2].len() / "::super".len()).map(|depth| &own[..depth])
        };
        let Some(base) = base else { continue };
        for name in names(&code[found.get(0).unwrap().end()..]) {
            paths.insert([base, &name.split("::").collect::<Vec<_>>()].concat().join("::"));
        }
    }
    paths
}

/// The names at the beginning of a text: `a::b`, or those of a group, `{a, b::{c, d}}`.
fn names(text: &str) -> Vec<String> {
    let Some(group) = text.strip_prefix('{') else {
        let end = text.find(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
        let path = text[..end.unwrap_or(text.len())].trim_end_matches(':');
        return match text[path.len()..].strip_prefix("::") {
            Some(rest) if rest.starts_with('{') => {
                names(rest).into_iter().map(|name| format!("{path}::{name}")).collect()
            }
            _ => vec![path.to_owned()],
        };
    };
    let (mut depth, mut begin, mut names_of_group) = (1, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && letter == ',' {
            let part = group[begin..at].trim();
            names_of_group.extend(if part.is_empty() { Vec::new() } else { names(part) });
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names_of_group
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
    let mut imports = Imports::new();
    for (file, code) in files() {
        let name = module(&file).to_owned();
        let others = imports.entry(name.clone()).or_default();
        for path in paths(&file, &code) {
            let mut segments = path.split("::");
            let first = segments.next().unwrap();
            let other = if path.starts_with("error::last_error") { "last_error" } else { first };
            let is_test = file.ends_with("/tests");
            if ["lib", "lessons"].contains(&name.as_str()) || other == name || is_test {
                continue;
            }
            assert!(
                LAYERS.concat().contains(&other),
                "{file} imports {path}, which is no module: name the module that has it"
            );
            assert!(layer(other) <= layer(&name), "{file} imports {path}, which is above it");
            others.insert(other.to_owned());
        }
    }
    for name in imports.keys() {
        assert_eq!(circle(name, &imports), None);
    }
    let known: BTreeSet<&str> = LAYERS.concat().into_iter().collect();
    assert_eq!(imports.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_files_of_a_folder_import_one_another_in_no_circle() {
    let files = files();
    for folder in files.keys().filter_map(|file| file.rsplit_once('/')).map(|(folder, _)| folder) {
        let inside = |file: &str| {
            file.rsplit_once('/').filter(|(above, _)| *above == folder).map(|(_, name)| name.to_owned())
        };
        let prefix = folder.replace('/', "::") + "::";
        let mut imports = Imports::new();
        for (file, code) in &files {
            let Some(name) = inside(file) else { continue };
            let others = paths(file, code).into_iter().filter_map(|path| {
                let other = path.strip_prefix(&prefix)?.split("::").next().unwrap().to_owned();
                (other != name && files.contains_key(&format!("{folder}/{other}"))).then_some(other)
            });
            imports.entry(name.clone()).or_default().extend(others);
        }
        for name in imports.keys() {
            assert_eq!(circle(name, &imports), None, "in {folder}");
        }
    }
}

#[test]
fn every_form_of_an_import_is_seen() {
    let code = "use crate::{sys as _, transfer::{self, line}}; use super::super::select::socket_select;
        use super::{table, value as v}; use crate::Socket as S; crate::options::row!();";
    let seen = [
        "Socket",
        "options::row",
        "options::table",
        "options::value",
        "select::socket_select",
        "sys",
        "transfer::line",
        "transfer::self",
    ];
    assert_eq!(paths("options/table", code).iter().map(String::as_str).collect::<Vec<_>>(), seen);

    let inside =
        flattened("mod tests {\n    use super::{a, b};\n    use super::super::sys;\n}\nuse super::c;");
    assert_eq!(paths("select", &inside).into_iter().collect::<Vec<_>>(), ["c", "sys"]);
}

/// In a pattern a name that no import brings is a binding, which matches whatever there is: each comes by itself.
#[test]
fn no_module_imports_all_names_of_another_crate() {
    let all = Regex::new(r"\buse (?:::)?(?:libc|errno|std)\b[^;]*\*").unwrap();
    for (code, is_all) in [
        ("use libc::*;", true),
        ("use ::libc::{self, *};", true),
        ("use std::io::*;", true),
        ("use libc::{SOL_SOCKET, linger};", false),
        ("use super::*;", false),
    ] {
        assert_eq!(all.is_match(code), is_all, "{code}");
    }
    for (file, code) in files() {
        assert_eq!(all.find(&code).map(|found| found.as_str()), None, "{file}");
    }
}
