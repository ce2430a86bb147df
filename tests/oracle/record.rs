//! The answers of PHP 8.5 to each script, kept in `recorded.json`, and how the steps of this run compare with it.
//!
//! The crate is compared with the recorded answers whatever PHP there is, and both with the PHP that runs. A step is
//! equal, a listed difference (`dialects.rs`), or unexpected: then its test fails. When the run ends, it prints a table.
//!
//! `RECORD=tests/oracle/recorded.json PHP=… cargo test --test oracle` records anew with a PHP 8.5. If that is the whole
//! suite, scripts that no test plays any more leave the file; a run of the whole suite that finds such scripts fails.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use serde_json::{Value, json};

use crate::common;
use crate::dialects::{self, LATER, REFERENCE};

/// One step of a script, as far as the comparison needs to know it.
pub(crate) struct Line {
    pub(crate) text: String,
    /// The variables that it sets.
    pub(crate) outs: Vec<String>,
    /// The variable of the socket whose slot it shows.
    pub(crate) socket: Option<String>,
    /// Whether it asks for a slot, so that its value is one.
    pub(crate) asks: bool,
    /// Whether the answer depends on the machine: it is compared live and not recorded.
    pub(crate) of_machine: bool,
}

/// The listed difference of a step, by its text and the reference's answer: its name, and the other answer.
type Listed<'a> = &'a dyn Fn(&str, &Value) -> Option<(&'static str, Value)>;

/// The verdict on one side's answer to a step, beside the reference's.
enum Verdict {
    Equal,
    Listed(&'static str),
    /// The answer that it should have been.
    Unexpected(Value),
}

/// The slots that a listed difference has left unlike: the difference, the reference's code, and this side's.
#[derive(Default)]
struct Unlike {
    last: Option<(&'static str, Value, Value)>,
    own: HashMap<String, (&'static str, Value, Value)>,
}

/// Judges one side's answers. A listed difference is demanded: who answers as the reference there is unexpected too.
fn judge(lines: &[Line], reference: &[Value], answers: &[Value], listed: Listed) -> Vec<Verdict> {
    let mut unlike = Unlike::default();
    let judge = |((line, reference), answer): ((&Line, &Value), &Value)| {
        let found = listed(&line.text, reference);
        let mut item = found.as_ref().map(|(item, _)| *item);
        let mut want = found.map_or_else(|| reference.clone(), |(_, want)| want);
        let own = line.socket.as_ref().and_then(|socket| unlike.own.get(socket));
        let asked = if line.socket.is_some() { own } else { unlike.last.as_ref() }.filter(|_| line.asks);
        for (slot, known) in [("last", unlike.last.as_ref()), ("own", own), ("value", asked)] {
            if let Some((name, _, this)) =
                known.filter(|(_, theirs, this)| want[slot] == *theirs && answer[slot] == *this)
            {
                want[slot] = this.clone();
                item = Some(name);
            }
        }
        let differs = |slot: &str| {
            let both = (reference[slot].clone(), answer[slot].clone());
            (both.0 != both.1).then(|| (item.unwrap_or("unexpected"), both.0, both.1))
        };
        unlike.last = differs("last");
        if let Some(socket) = &line.socket {
            match differs("own") {
                Some(both) => drop(unlike.own.insert(socket.clone(), both)),
                None => drop(unlike.own.remove(socket)),
            }
        }
        line.outs.iter().for_each(|out| drop(unlike.own.remove(out)));
        match item {
            _ if *answer != want => Verdict::Unexpected(want),
            Some(item) => Verdict::Listed(item),
            None => Verdict::Equal,
        }
    };
    lines.iter().zip(reference).zip(answers).map(judge).collect()
}

/// Compares the answers of both players to a script with each other and with those of PHP 8.5.
#[track_caller]
pub(crate) fn compare(lines: &[Line], php: &[Value], rust: &[Value]) {
    assert_eq!((php.len(), rust.len()), (lines.len(), lines.len()));
    let key = key(lines);
    let short: Vec<Value> = rust.iter().map(compact).collect();
    let recorded = match Mode::now() {
        _ if lines.iter().all(|line| line.of_machine) => vec![Value::Null; lines.len()],
        Mode::Record => {
            let answers: Vec<Value> = php.iter().zip(lines).map(|(php, line)| kept(line, php)).collect();
            run().answers.insert(key.clone(), (test(), json!(answers)));
            answers
        }
        Mode::Compare => {
            let known = RECORD.scripts.get(&key);
            let known = known
                .unwrap_or_else(|| panic!("this script has no record: see CONTRIBUTING.md, make oracle"));
            known.1.as_array().expect("a list").clone()
        }
    };
    let recorded: Vec<Value> = recorded.iter().map(full).collect();
    for (known, line) in recorded.iter().zip(lines) {
        assert_eq!(
            known.is_null(),
            line.of_machine,
            "what depends on the machine is not recorded, all else is"
        );
    }
    run().played.insert(key);
    assert_eq!(recorded.len(), lines.len(), "steps recorded");

    // An answer that depends on the machine is recorded as null, and there the crate answers for PHP 8.5.
    let known = recorded;
    let recorded: Vec<Value> = known
        .iter()
        .zip(&short)
        .map(|(known, ours)| if known.is_null() { ours } else { known }.clone())
        .collect();
    let ours = judge(lines, &recorded, &short, &dialects::ours);
    let newest: Vec<Value> = if common::php_version() >= REFERENCE {
        php.to_vec()
    } else {
        let differ = |((ours, recorded), rust): ((&Verdict, &Value), &Value)| match ours {
            Verdict::Listed(_) => recorded.clone(),
            _ => rust.clone(),
        };
        ours.iter().zip(&recorded).zip(rust).map(differ).collect()
    };
    let live = judge(lines, &newest, rust, &dialects::ours);
    let theirs = judge(lines, &newest, php, &dialects::older);

    // A difference that is listed for the crate says nothing of this PHP, which must answer as recorded.
    if (REFERENCE..LATER).contains(&common::php_version()) {
        for (((line, known), answer), verdict) in lines.iter().zip(&known).zip(php).zip(&theirs) {
            if !known.is_null() && matches!(verdict, Verdict::Equal) {
                assert_eq!(full(&kept(line, answer)), *known, "left is this PHP, right is recorded");
            }
        }
    }

    let mut unexpected = String::new();
    for (position, line) in lines.iter().enumerate() {
        let verdicts = [
            ("the crate is not as recorded", &ours[position], &short[position]),
            ("the crate is not as this PHP", &live[position], &rust[position]),
            ("this PHP is not as listed", &theirs[position], &php[position]),
        ];
        let mut item = None;
        let before = unexpected.len();
        for (what, verdict, is) in verdicts {
            match verdict {
                Verdict::Equal => {}
                Verdict::Listed(name) => item = Some(*name),
                Verdict::Unexpected(want) => {
                    let _ =
                        write!(unexpected, "\n{what}, at: {}\n  it is   {is}\n  and not {want}", line.text);
                }
            }
        }
        tally(if unexpected.len() > before { Some("unexpected") } else { item });
        run().recorded += usize::from(!line.of_machine);
    }
    eprintln!("compared {} steps", lines.len());
    assert!(unexpected.is_empty(), "PHP {}:{unexpected}", common::php_version());
}

/// Counts a step that was compared: equal, or a listed difference.
pub(crate) fn tally(item: Option<&'static str>) {
    static END: Once = Once::new();
    END.call_once(|| {
        // SAFETY: `at_end` takes nothing and stays where it is; it calls nothing that needs this thread.
        assert_eq!(unsafe { libc::atexit(at_end) }, 0);
    });
    let mut run = run();
    match item {
        None => run.equal += 1,
        Some(item) => *run.listed.entry(item).or_default() += 1,
    }
}

/// The steps that this run has compared.
#[derive(Default)]
struct Run {
    equal: usize,
    listed: BTreeMap<&'static str, usize>,
    recorded: usize,
    played: BTreeSet<String>,
    answers: Answers,
}

/// By the hash of the script: the test that plays it, and the answers.
type Answers = BTreeMap<String, (String, Value)>;

fn run() -> MutexGuard<'static, Run> {
    static RUN: LazyLock<Mutex<Run>> = LazyLock::new(Mutex::default);
    RUN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Compare,
    Record,
}

impl Mode {
    fn now() -> Mode {
        static MODE: LazyLock<Mode> = LazyLock::new(|| {
            if std::env::var_os("RECORD").is_none() {
                return Mode::Compare;
            }
            let version = common::php_version();
            assert!((REFERENCE..LATER).contains(&version), "PHP 8.5 is recorded, and this is {version}");
            Mode::Record
        });
        *MODE
    }
}

/// The file: the version and the date of the recording, and the answers.
#[derive(Debug)]
struct Record {
    php: String,
    date: String,
    scripts: Answers,
}

static RECORD: LazyLock<Record> = LazyLock::new(|| {
    let text = match (std::fs::read_to_string(path()), Mode::now()) {
        (Ok(text), _) => text,
        (Err(_), Mode::Record) => json!({"php": "", "date": "", "scripts": []}).to_string(),
        (Err(error), Mode::Compare) => panic!("{}: {error}", path().display()),
    };
    let record: Value = serde_json::from_str(&text).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let scripts = record["scripts"].as_array().expect("a list").iter();
    Record {
        php: text(&record["php"]),
        date: text(&record["date"]),
        scripts: scripts.map(|row| (text(&row[1]), (text(&row[0]), row[2].clone()))).collect(),
    }
});

fn path() -> PathBuf {
    common::root().join(std::env::var("RECORD").unwrap_or_else(|_| "tests/oracle/recorded.json".to_owned()))
}

/// The name of the test that plays, which is its thread's.
fn test() -> String {
    std::thread::current().name().unwrap_or("?").to_owned()
}

/// A hash of the script: FNV-1a.
fn key(lines: &[Line]) -> String {
    let bytes = lines.iter().flat_map(|line| line.text.bytes().chain([b'\n']));
    format!("{:016x}", hash(bytes))
}

fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn kept(line: &Line, answer: &Value) -> Value {
    if line.of_machine {
        return Value::Null;
    }
    let answer = compact(answer);
    let mut row = vec![answer["value"].clone(), answer["last"].clone(), answer["own"].clone()];
    let rest: serde_json::Map<String, Value> = answer
        .as_object()
        .expect("an answer")
        .iter()
        .filter(|(key, value)| !["value", "last", "own"].contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !rest.is_empty() {
        row.push(Value::Object(rest));
    }
    row.into()
}

/// A recorded answer as the players give theirs.
fn full(row: &Value) -> Value {
    let Some(row) = row.as_array() else { return row.clone() };
    let mut answer = json!({"value": row[0], "last": row[1], "own": row[2], "warning": null, "thrown": null});
    for (key, value) in row.get(3).and_then(Value::as_object).into_iter().flatten() {
        answer[key] = value.clone();
    }
    answer
}

/// The answer with long texts as their beginning, length and hash.
fn compact(answer: &Value) -> Value {
    match answer {
        Value::String(text) if text.len() > 300 => {
            let begin: String = text.chars().take(20).collect();
            json!(format!("{begin}… {} bytes, {:016x}", text.len(), hash(text.bytes())))
        }
        Value::Array(list) => list.iter().map(compact).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), compact(value))).collect())
        }
        plain => plain.clone(),
    }
}

/// Whether the run is of the whole suite: any word among the arguments may be a filter.
fn is_whole() -> bool {
    let narrows =
        |word: &String| !word.starts_with('-') || word.starts_with("--skip") || word.ends_with("ignored");
    !std::env::args().skip(1).any(|word| narrows(&word))
}

/// Prints the table, and writes the record or looks for what is too much in it.
extern "C" fn at_end() {
    let run = run();
    let unexpected = run.listed.get("unexpected").copied().unwrap_or(0);
    let listed = run.listed.values().sum::<usize>() - unexpected;
    eprintln!(
        "\noracle: PHP {}: {} steps: {} equal, {listed} listed, {unexpected} unexpected; {} are recorded of PHP {}, {}",
        common::php_version(),
        run.equal + listed + unexpected,
        run.equal,
        run.recorded,
        RECORD.php,
        RECORD.date,
    );
    for (item, count) in run.listed.iter().filter(|(item, _)| **item != "unexpected") {
        eprintln!("{count:8}  {item}");
    }
    let whole = is_whole();
    let done = if Mode::now() == Mode::Record {
        if unexpected == 0 { write(&run.answers, whole) } else { Err("nothing is recorded".to_owned()) }
    } else {
        let stale: BTreeSet<&str> = RECORD
            .scripts
            .iter()
            .filter(|(key, _)| whole && !run.played.contains(*key))
            .map(|(_, (test, _))| test.as_str())
            .collect();
        let tests = || stale.iter().copied().collect::<Vec<_>>().join(", ");
        let text = || {
            format!("recorded, but not played (any more, or because the test has failed before): {}", tests())
        };
        if stale.is_empty() { Ok(()) } else { Err(text()) }
    };
    if let Err(text) = done {
        eprintln!("oracle: {text}");
        // SAFETY: the call ends the process, whose tests are over.
        unsafe { libc::_exit(101) }
    }
}

/// Writes the file anew, if an answer has changed. A part of the suite leaves the other scripts as they are.
fn write(answers: &Answers, whole: bool) -> Result<(), String> {
    let tests: BTreeSet<&String> = answers.values().map(|(test, _)| test).collect();
    let mut scripts = if whole { Answers::new() } else { RECORD.scripts.clone() };
    scripts.retain(|_, (test, _)| !tests.contains(test));
    scripts.extend(answers.clone());
    let head = common::php("echo PHP_VERSION, ' ', date('Y-m-d');");
    let (php, date) = head.split_once(' ').ok_or("no version")?;
    if scripts == RECORD.scripts && php == RECORD.php {
        eprintln!("oracle: {} scripts are recorded already, with the same answers", scripts.len());
        return Ok(());
    }
    let mut rows: Vec<String> =
        scripts.iter().map(|(key, (test, answers))| json!([test, key, answers]).to_string()).collect();
    rows.sort();
    let about = "PHP's answers to the oracle's scripts: test, hash of the script, and for each step value, last error, the \
                 socket's last error and what else there is; null depends on the machine. tests/oracle/record.rs reads it.";
    let text = format!(
        "{{\"about\":{},\"php\":{},\"date\":{},\"scripts\":[\n{}\n]}}\n",
        json!(about),
        json!(php),
        json!(date),
        rows.join(",\n")
    );
    std::fs::write(path(), text).map_err(|error| format!("{}: {error}", path().display()))?;
    eprintln!("oracle: {} scripts recorded of PHP {php}", scripts.len());
    Ok(())
}
