//! The functions' names and parameters, taken from the sources here and by reflection there.

use std::collections::{BTreeMap, BTreeSet};

use crate::common;
use crate::dialects::by_version;
use crate::php;

/// The functions of the sockets extension that this crate does not have yet. A commit that adds one takes it off.
const MISSING: &[&str] = &[];

/// Functions that PHP lost long ago.
const LOST: &[&str] = &[
    "socket_iovec_add",
    "socket_iovec_alloc",
    "socket_iovec_delete",
    "socket_iovec_fetch",
    "socket_iovec_free",
    "socket_iovec_set",
    "socket_readv",
    "socket_writev",
];

/// The types that `None` belongs to.
const NULLABLE: [&str; 5] = ["Option<", "Service<", "impl Port", "impl Seconds", "impl SocketRef"];

/// A parameter's name, and whether it can be null or an empty array, which is `None` in Rust.
type Parameter = (String, bool);

/// The free public functions of `src/` that bear a name of PHP's, with their parameters.
fn ours() -> BTreeMap<String, Vec<Parameter>> {
    let function =
        regex::Regex::new(r"(?s)\npub fn (\w+)(?:<[^(]*>)?\((.*?)\)\s*(?:->[^{]*?)?(?:\s+where[^{]*?)?\{")
            .unwrap();
    let mut functions = BTreeMap::new();
    for (_, text) in common::sources() {
        for found in function.captures_iter(&text) {
            let parameters = split(&found[2])
                .into_iter()
                .map(|parameter| {
                    let (name, kind) = parameter.split_once(':').expect("name: type");
                    let name = name.trim().trim_start_matches("mut ").trim_start_matches("r#");
                    (name.to_owned(), NULLABLE.iter().any(|nullable| kind.contains(nullable)))
                })
                .collect();
            assert_eq!(functions.insert(found[1].to_owned(), parameters), None, "{} stands once", &found[1]);
        }
    }
    functions
}

/// Splits parameters at the commas that are not within brackets.
fn split(parameters: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in parameters.chars() {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        match character {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().expect("a part").push(character),
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A function of PHP's, without the outputs that Rust returns: `$address`, `$port` and `$pair` by reference.
fn phps(name: &str) -> Option<Vec<Parameter>> {
    let parameters = php::value(&format!(
        "if (!function_exists('{name}')) return null;
         return array_map(fn ($p) => [$p->getName(), ($p->getType()?->allowsNull() ?? false)
                 || $p->isOptional() && $p->getDefaultValue() === [], $p->isPassedByReference()],
             (new ReflectionFunction('{name}'))->getParameters());"
    ));
    let parameters = parameters.as_array()?.iter().map(|parameter| {
        let name = parameter[0].as_str().expect("a name").to_owned();
        (name, parameter[1] == true, parameter[2] == true)
    });
    let returned = |name: &str| ["address", "port", "pair"].contains(&name);
    Some(
        parameters
            .filter(|(name, _, by_reference)| !(*by_reference && returned(name)))
            .map(|(name, nullable, _)| (name, nullable))
            .collect(),
    )
}

#[test]
fn every_function_has_phps_parameters_in_phps_order() {
    let mut absent = BTreeSet::new();
    for (name, parameters) in ours() {
        match phps(&name) {
            Some(phps) => assert_eq!(parameters, phps, "left is Rust, right is PHP: {name} (name, nullable)"),
            None => drop(absent.insert(name)),
        }
    }
    let younger_than_8_2 = by_version(&[(80200, &["socket_atmark"] as &[&str]), (80300, &[])]);
    assert_eq!(absent, LOST.iter().chain(younger_than_8_2).map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_functions_that_are_not_there_yet_are_these() {
    let extension = php::value("return get_extension_funcs('sockets');");
    let ours = ours();

    let missing: BTreeSet<&str> = extension
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .filter(|name| !ours.contains_key(*name))
        .collect();

    assert_eq!(
        missing,
        MISSING.iter().copied().collect(),
        "take what is there off the list, or bring it back"
    );
    assert_eq!(extension.as_array().unwrap().len(), by_version(&[(80200, 36), (80300, 37)]));
}
