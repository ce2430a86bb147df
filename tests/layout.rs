//! The order of the repository: the layers of `src/`, the files of the lessons, the README's table.

#[path = "common/mod.rs"]
mod common;
#[path = "layout/curriculum.rs"]
mod curriculum;
#[path = "layout/docs.rs"]
mod docs;
#[path = "layout/layers.rs"]
mod layers;

use std::collections::BTreeMap;

use regex::Regex;

fn read(path: &str) -> String {
    std::fs::read_to_string(common::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// White space as one blank, and no comma before a closing parenthesis.
fn flat(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("( ", "(").replace(", )", ")").replace(" )", ")")
}

/// Every public function: name, PHP's signature from its documentation, and Rust's.
fn functions() -> BTreeMap<String, (String, String)> {
    let function = Regex::new(
        r"(?s)/// ```php\n((?:/// [^\n`]+\n)+)/// ```\n((?:[^\n]+\n)*?)(?:#\[[^\n]+\n)*pub fn ((\w+)[^{]+?) \{",
    )
    .unwrap();
    let mut functions = BTreeMap::new();
    for (_, text) in common::sources() {
        for found in function.captures_iter(&text) {
            functions.insert(found[4].to_owned(), (flat(&found[1].replace("/// ", "")), flat(&found[3])));
        }
    }
    functions
}

#[test]
fn every_public_function_is_documented_by_the_page_of_the_house() {
    let any = Regex::new(r"(?m)^pub fn (\w+)").unwrap();
    let lesson = Regex::new(r"(?m)^/// \[?Lesson \d\d(?:\]\(crate::lessons::lesson_\d\d\))? · ").unwrap();
    let functions = functions();
    for (path, text) in common::sources() {
        for found in any.captures_iter(&text) {
            let name = &found[1];
            assert!(functions.contains_key(name), "{}: {name} lacks PHP's signature", path.display());
            let before = &text[..found.get(0).unwrap().start()];
            let page = &before[before.rfind("\n\n").unwrap()..];
            assert!(page.contains("# Examples\n"), "{name} has no example");
            assert!(
                page.contains(&format!("[php.net](https://www.php.net/{name})")),
                "{name} has no link to PHP"
            );
            assert!(
                page.contains("](https://man7.org/linux/man-pages/man"),
                "{name} has no link to a man page"
            );
            assert!(lesson.is_match(page), "{name} names no lesson");
        }
    }
    assert!(functions.len() >= 36, "{}", functions.len());
}

#[test]
fn the_readmes_table_has_every_function_with_the_signatures_of_the_source() {
    let readme = read("README.md");
    let mut rows = BTreeMap::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let line = line.replace("\\|", "\u{1}");
        let cells: Vec<String> = line
            .split('|')
            .map(|cell| cell.replace('\u{1}', "|").replace('`', "").trim().to_owned())
            .collect();
        if let Some((name, _)) = cells[1].split_once('(') {
            rows.insert(name.to_owned(), (cells[1].clone(), cells[2].clone()));
        }
    }

    assert_eq!(rows, functions());
}

/// A server of the README, without the comment at its top.
fn sample(name: &str) -> String {
    let text = read(&format!("tests/readme/{name}.rs"));
    text.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn the_readme_shows_the_servers_that_are_tested() {
    let readme = read("README.md");
    let shown: Vec<&str> =
        readme.split("```rust,no_run\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let lines = sample("lines");
    let (_, answer) = lines.split_once("\n}\n\n").unwrap();

    let tested =
        [sample("echo"), sample("select"), format!("use php_sockets::*;\n\n{answer}"), sample("events")];
    assert_eq!(shown, tested, "the README has them as they are");
    assert_eq!(readme.matches("```rust").count(), tested.len(), "and no other");
}

#[test]
fn the_chat_and_the_server_of_lines_are_the_select_server_but_for_what_the_readme_says() {
    let readme = read("README.md");
    let (select, lines) = (sample("select"), sample("lines"));
    let (lines, _) = lines.split_once("\n}\n\n").unwrap();
    let (before, turn) = select.split_once("            let Some(client) = clients.get(&key)").unwrap();
    let (_, end) = turn.split_once("                clients.remove(&key);\n            }\n").unwrap();
    let get = "let Some(client) = clients.get(&key) else { continue };\n            \
        let data = socket_read(client, 1024, PHP_BINARY_READ).unwrap_or_default();";
    let tell =
        "clients.retain(|id, other| *id == key || socket_write(other, &data, None) == Ok(data.len()));";
    let table = "BTreeMap<u64, (Socket, Vec<u8>)>";

    let chat = format!(
        "{before}            {get}\n            if data.is_empty() {{\n                clients.remove(&key);\n            }}\n            \
         {tell}\n{end}"
    );
    assert_eq!(sample("chat"), chat);
    let changed = before
        .replace("BTreeMap<u64, Socket>", table)
        .replace("(id, client)|", "(id, (client, _))|")
        .replace("insert(last_id, client)", "insert(last_id, (client, Vec::new()))");
    let turn = "let Some((client, input)) = clients.get_mut(&key) else { continue };\n            \
        if !answer(client, input) {\n                clients.remove(&key);\n            }";
    assert_eq!(format!("{lines}\n}}\n"), format!("{changed}            {turn}\n{end}"));
    assert!(select.contains(get));
    for said in [tell, table, "`data.is_empty()`"] {
        assert!(readme.contains(said), "{said}");
    }
}

#[test]
fn links_between_the_texts_lead_somewhere() {
    let link = Regex::new(r"(?m)\]\(([^)#:]+)(?:#[^)]*)?\)|^\[[\w ]+\]: ([^#:\s]+)$").unwrap();
    let shared = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", ".github/SECURITY.md", "lessons/README.md"];
    let mut texts: Vec<String> = shared.map(str::to_owned).into();
    for entry in std::fs::read_dir(common::root().join("lessons")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            texts.push(format!("lessons/{}/README.md", entry.file_name().into_string().unwrap()));
        }
    }
    for path in texts {
        let folder = common::root().join(&path).parent().unwrap().to_owned();
        for found in link.captures_iter(&read(&path)) {
            let target = found.get(1).or(found.get(2)).unwrap().as_str();
            assert!(folder.join(target).exists(), "{path} links {target}");
        }
    }
}

/// The lines of a section of `Cargo.toml`.
fn section(name: &str) -> String {
    let cargo = read("Cargo.toml");
    let (_, rest) = cargo.split_once(&format!("[{name}]\n")).unwrap();
    rest.split("\n\n").next().unwrap().to_owned()
}

#[test]
fn the_crate_needs_libc_and_errno_and_nothing_else() {
    // tests/floor.sh builds with just these versions, so they have all three numbers.
    let dependency = Regex::new(r#"(?m)^(\w+) = "\d+\.\d+\.\d+"$"#).unwrap();

    assert_eq!(dependency.replace_all(&section("dependencies"), "$1"), "errno\nlibc");
}

#[test]
fn the_tests_run_with_the_lowest_versions_of_the_crates_that_only_they_use() {
    let lock = read("Cargo.lock");
    let dependency = Regex::new(r#"(?m)^(\w+) = (?:\{ version = )?"([^"]+)""#).unwrap();
    let lines = section("dev-dependencies");
    for found in dependency.captures_iter(&lines) {
        let locked = format!("name = \"{}\"\nversion = \"{}\"\n", &found[1], &found[2]);
        assert!(lock.contains(&locked), "Cargo.toml allows {} {}, which is not tried", &found[1], &found[2]);
    }
    assert_eq!(dependency.captures_iter(&lines).count(), lines.lines().count());
}

#[test]
fn the_workflow_checks_with_the_newest_rust_and_with_the_one_that_is_promised() {
    let manifest = read("Cargo.toml");
    let (_, rest) = manifest.split_once("rust-version = ").unwrap();
    let promised = rest.lines().next().unwrap();
    let workflow = read(".github/workflows/check.yml");

    assert!(workflow.contains(&format!("        rust: [\"1\", {promised}]\n")), "{promised}");
    assert!(workflow.contains("      - run: .ci/run\n"));
}

#[cfg(not(feature = "lessons"))]
#[test]
#[ignore = "to run the suites of the lessons too, type: make test"]
fn the_lessons_are_tested() {
    panic!("without the feature `lessons` their suites are not built");
}

#[test]
fn nothing_but_the_agreed_stands_at_the_top() {
    let mut command = common::limited("git");
    let output = command.arg("-C").arg(common::root()).arg("ls-files").output().unwrap();
    let files = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !files.is_empty(), "git lists the files");
    for file in files.lines() {
        let top = file.split('/').next().unwrap();
        let agreed = ["Cargo.toml", "Cargo.lock", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"];
        let folder = ["src", "lessons", "tests"].contains(&top);
        assert!(
            agreed.contains(&top) || folder || top.starts_with("LICENSE") || top.starts_with('.'),
            "{file}"
        );
    }
}
