//! The order of the repository: the layers of `src/`, the files of the lessons, the README's table.

#[path = "common/mod.rs"]
mod common;
#[path = "layout/curriculum.rs"]
mod curriculum;
#[path = "layout/docs.rs"]
mod docs;
#[path = "layout/layers.rs"]
mod layers;
#[path = "layout/lists.rs"]
mod lists;
#[path = "stage/registry.rs"]
#[allow(dead_code, reason = "the suites that play the lessons use the rest")]
mod registry;

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
            let php = flat(&found[1].replace("/// ", ""));
            functions.insert(found[4].to_owned(), (php, flat(&found[3])));
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

/// How the README's table says a function: `socket_bind(&socket, address, port)?`, and what it returns.
fn in_short(signature: &str) -> String {
    let (head, result) = signature.split_once(") -> ").unwrap_or((signature.trim_end_matches(')'), "()"));
    let (name, parameters) = head.split_once('(').unwrap();
    let parameter = Regex::new(r"((?:r#)?\w+): (Option<&mut|&mut |&|)").unwrap();
    let mut arrays = 0..;
    let parameters: Vec<String> = parameter
        .captures_iter(parameters)
        .map(|found| match &found[2] {
            "Option<&mut" if arrays.next() > Some(0) => "None".to_owned(),
            "Option<&mut" => format!("Some(&mut {})", &found[1]),
            borrow => format!("{borrow}{}", &found[1]),
        })
        .collect();
    let call = format!("{}({})", name.split('<').next().unwrap(), parameters.join(", "));
    let (call, result) = match result.strip_prefix("Result<") {
        Some(result) => (call + "?", result.strip_suffix('>').unwrap()),
        None => (call, result),
    };
    if result == "()" { format!("`{call}`") } else { format!("`{call}` → `{result}`") }
}

#[test]
fn the_readmes_table_has_every_function_once_as_the_source_has_it() {
    let row = Regex::new(r"(?m)^\| \[`(\w+)`\]\(([^)]+)\) \| (.+) \| .+ \|$").unwrap();
    let readme = read("README.md");
    let rows: Vec<[String; 3]> =
        row.captures_iter(&readme).map(|found| found.extract().1.map(str::to_owned)).collect();

    let mut names: Vec<&str> = rows.iter().map(|[name, ..]| name.as_str()).collect();
    names.sort_unstable();
    let functions = functions();
    assert_eq!(names, functions.keys().collect::<Vec<_>>());
    for [name, link, rust] in &rows {
        assert_eq!(*link, format!("src/php-to-rust.md#{name}"));
        assert_eq!(*rust, in_short(&functions[name].1));
    }
}

#[test]
fn the_page_on_differences_has_a_section_for_each_function_in_the_readmes_order() {
    let section =
        Regex::new(r"(?m)^### (\w+)\n\n```text\nPHP   ((?:.+\n)+?)Rust  ((?:.+\n)+?)```\n\n\S").unwrap();
    let row = Regex::new(r"(?m)^\| \[`(\w+)`\]\(").unwrap();
    let (page, readme) = (read("src/php-to-rust.md"), read("README.md"));
    let sections: Vec<[&str; 3]> = section.captures_iter(&page).map(|found| found.extract().1).collect();

    let functions = functions();
    for [name, php, rust] in &sections {
        assert_eq!((flat(php), flat(rust)), functions[*name], "{name}");
    }
    let rows: Vec<&str> = row.captures_iter(&readme).map(|found| found.extract::<1>().1[0]).collect();
    assert_eq!(sections.iter().map(|[name, ..]| *name).collect::<Vec<_>>(), rows);
}

#[test]
fn the_guides_table_of_events_has_every_method() {
    let method = Regex::new(r"(?m)^    pub fn (\w+)").unwrap();
    let guide = read("src/php-to-rust-porting.md");
    let (_, events) = guide.split_once("\n# Events\n").unwrap();
    let mut methods = 0;
    for (path, text) in common::sources() {
        if !path.strip_prefix(common::root().join("src")).unwrap().starts_with("event")
            && !path.ends_with("src/event.rs")
        {
            continue;
        }
        for found in method.captures_iter(&text) {
            let named =
                ["base.", "event.", "Event::", "EventBase::"].map(|of| format!("`{of}{}(", &found[1]));
            assert!(named.iter().any(|named| events.contains(named)), "{} has no row", &found[1]);
            methods += 1;
        }
    }
    assert!(methods > 20, "{methods}");
}

#[test]
fn the_readme_is_read_in_one_sitting_and_no_code_scrolls_sideways() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 240, "{} lines", readme.lines().count());
    for page in ["README.md", "src/php-to-rust.md", "src/php-to-rust-porting.md"] {
        let mut is_code = false;
        for line in read(page).lines() {
            is_code ^= line.starts_with("```");
            let is_row = line.starts_with('|') && page == "README.md";
            let most = if is_code {
                80
            } else if is_row {
                160
            } else {
                usize::MAX
            };
            assert!(line.chars().count() <= most, "{page}: {line}");
        }
    }
}

#[test]
fn the_way_on_is_the_same_wherever_it_is_shown() {
    let flat = |path: &str| read(path).split_whitespace().collect::<Vec<_>>().join(" ");
    for path in ["README.md", "lessons/README.md", "lessons/03-the-conversation/expected.txt"] {
        let text = flat(path);
        for said in
            ["then lessons 01, 02, 04 and so on. ", "For one evening: lessons 03, 04, 06, 10, 13, 22."]
        {
            assert!(text.contains(said), "{path}: {said}");
        }
    }
}

/// A server of the README, without the comment at its top.
fn sample(name: &str) -> String {
    let text = read(&format!("tests/readme/{name}.rs"));
    text.split_once("\n\n").unwrap().1.to_owned()
}

/// The Rust programs in the blocks of a text.
fn programs(path: &str) -> Vec<String> {
    let text = read(path);
    let shown = text.split("```rust,no_run\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    shown.map(str::to_owned).collect()
}

#[test]
fn the_pages_show_the_servers_that_are_tested() {
    let lines = sample("lines");
    let (_, answer) = lines.split_once("\n}\n\n").unwrap();

    assert_eq!(programs("README.md"), [sample("echo"), sample("select")], "the README has them as they are");
    assert_eq!(read("README.md").matches("```rust").count(), 2, "and no other");
    let guide = programs("src/php-to-rust-porting.md");
    for tested in [
        sample("daemon"),
        sample("output"),
        sample("udp"),
        format!("use php_sockets::*;\n\n{answer}"),
        sample("events"),
    ] {
        assert!(guide.contains(&tested), "the porting guide has it as it is: {tested}");
    }
}

#[test]
fn the_chat_and_the_server_of_lines_are_the_select_server_but_for_what_the_guide_says() {
    let guide = read("src/php-to-rust-porting.md");
    let (select, lines) = (sample("select"), sample("lines"));
    let (lines, _) = lines.split_once("\n}\n\n").unwrap();
    let (before, turn) = select.split_once("            let Some(client) = clients.get(&key)").unwrap();
    let (_, end) = turn.split_once("                clients.remove(&key);\n            }\n").unwrap();
    let get = "let Some(client) = clients.get(&key) else { continue };\n            \
        let data = socket_read(client, 1024, PHP_BINARY_READ);\n            \
        let data = data.unwrap_or_default();\n";
    let remove = "            if data.is_empty() {\n                clients.remove(&key);\n            }\n            ";
    let tell = "clients.retain(|id, other| {\n    \
        *id == key || socket_write(other, &data, None) == Ok(data.len())\n});\n";
    let table = "BTreeMap<u64, (Socket, Vec<u8>)>";

    let chat = format!(
        "{before}            {get}{remove}{}{end}",
        tell.replace('\n', "\n            ").trim_end_matches(' ')
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
        assert!(guide.contains(said), "{said}");
    }
}

#[test]
fn links_between_the_texts_lead_somewhere() {
    let link = Regex::new(r"(?m)\]\(([^)#:]+)(?:#[^)]*)?\)|^\[[\w ]+\]: ([^#:\s]+)$").unwrap();
    let pages = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        ".github/SECURITY.md",
        "lessons/README.md",
        "src/php-to-rust.md",
        "src/php-to-rust-porting.md",
    ];
    let mut texts: Vec<String> = pages.map(str::to_owned).into();
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

/// Where a link to a heading leads, as rustdoc and the repository's pages name it.
fn place(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
}

#[test]
fn links_to_a_part_of_a_page_lead_to_a_heading() {
    let heading = Regex::new(r"(?m)^#+ (.+)$").unwrap();
    let link = Regex::new(r"(php_to_rust|php-to-rust\.md|crate|\]\(|\]: )#([\w-]+)").unwrap();
    let places = |paths: &[&str]| -> Vec<String> {
        let texts = paths.iter().map(|path| read(path)).collect::<String>();
        heading.captures_iter(&texts).map(|found| place(&found[1])).collect()
    };
    // The two texts are one page of the documentation.
    let guide = places(&["src/php-to-rust.md", "src/php-to-rust-porting.md"]);
    let (first, contributing) = (places(&["README.md"]), places(&["CONTRIBUTING.md"]));

    let mut texts: Vec<(String, String)> = common::sources()
        .into_iter()
        .map(|(path, text)| (path.strip_prefix(common::root()).unwrap().display().to_string(), text))
        .collect();
    for page in ["README.md", "CONTRIBUTING.md", "src/php-to-rust.md", "src/php-to-rust-porting.md"] {
        texts.push((page.to_owned(), read(page)));
    }
    let mut seen = 0;
    for (path, text) in texts {
        for found in link.captures_iter(&text) {
            let there = match &found[1] {
                "crate" => &first,
                "](" | "]: " if path == "CONTRIBUTING.md" => &contributing,
                _ => &guide,
            };
            assert!(there.contains(&found[2].to_owned()), "{path} links {}", &found[0]);
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
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
    let dependency = Regex::new(r#"(?m)^([\w-]+) = (?:\{ version = )?"([^"]+)""#).unwrap();
    let lines = section("dev-dependencies");
    for found in dependency.captures_iter(&lines) {
        // The text behind a `+` is no part of the version that Cargo.toml asks for.
        let locked =
            ["\"\n", "+"].map(|end| format!("name = \"{}\"\nversion = \"{}{end}", &found[1], &found[2]));
        assert!(
            locked.iter().any(|locked| lock.contains(locked)),
            "Cargo.toml allows {} {}, which is not tried",
            &found[1],
            &found[2]
        );
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

/// A child's exit status is the one sign of a failure that it has not printed.
#[test]
fn the_tests_let_no_exit_status_fall() {
    let ends =
        r"(?:(?:try_)?wait|output|status|wait_with_output)\(\)(?:\.(?:expect\([^)]*\)|unwrap\(\)|\?))?";
    let fallen =
        Regex::new(&format!(r"(?m)^\s*[\w.&]+\.{ends};|\b{ends}\.std(?:out|err)\b|WEXITSTATUS")).unwrap();
    for (text, falls) in [
        ("    child.wait().expect(\"it ends\");", true),
        ("String::from_utf8(command.output().unwrap().stdout)", true),
        ("print(libc::WEXITSTATUS(status));", true),
        ("let status = child.wait().unwrap();", false),
        ("let output = command.output().expect(\"it runs\");", false),
    ] {
        assert_eq!(fallen.is_match(text), falls, "{text}");
    }

    let list = common::printed(
        common::limited("git").arg("-C").arg(common::root()).args(["ls-files", "tests/*.rs"]),
    );
    let own = list.lines().filter(|file| *file != "tests/layout.rs");
    for file in own {
        let text = read(file);
        for found in fallen.find_iter(&text) {
            let before = &text[..found.start()];
            let judged = before.rsplit('\n').take(2).any(|line| line.contains("WIFEXITED"));
            assert!(judged, "{file}:{}: {}", before.lines().count(), found.as_str());
        }
    }
}

/// `tests/counts` holds the page of `socket_select`, and its own figures, likewise.
#[test]
fn the_readmes_costs_of_select_are_those_of_the_benchs_page() {
    let (readme, bench) = (read("README.md"), read("tests/bench/README.md"));
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `select` server, ")).collect();
    assert!(rows.len() > 3, "{rows:?}");
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for figure in &cells[4..6] {
            let whole = Regex::new(&format!(r"(?:^|[^\d,]){figure}(?:$|[^\d,]|,\s)")).unwrap();
            assert!(whole.is_match(&bench), "{figure} of {row}");
        }
    }
}
