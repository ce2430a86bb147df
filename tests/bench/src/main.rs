//! Runs the crate beside C, PHP and its peers, and prints tables. README.md beside this package says how to read them.

use std::collections::BTreeMap;
use std::io::Result;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

mod counts;
mod load;
mod peers;
mod process;
mod report;
mod targets;
mod times;

use counts::{Counts, Job, count, resident};
use peers::{ECHO, EMPTY, EPOLL, LINE, PAIR, Peer, SELECT};
use process::{cores, raise_descriptors};
use report::Report;
use times::{Setting, Task, measure};

/// The descriptors of a server beside those of its clients, valgrind's included.
const BESIDE: usize = 100;

/// A table of counts that stands before the tables of times.
struct Plan {
    title: String,
    operation: &'static str,
    peers: &'static [Peer],
    job: Job,
    judge: fn(&mut Report, &Rows, &[f64]),
}

pub(crate) type Rows = BTreeMap<&'static str, Counts>;

fn main() -> Result<()> {
    let begin = Instant::now();
    let quick = std::env::var_os("QUICK").is_some_and(|value| !value.is_empty() && value != "0");
    let crowd = raise_descriptors().saturating_sub(BESIDE).min(10_000);
    peers::compile()?;
    println!("# php-sockets beside C, PHP and its peers\n\n{}", machine()?);

    let mut report = Report::default();
    for plan in plans(quick, crowd) {
        play(&plan, &mut report)?;
    }
    time(quick, crowd, &mut report)?;
    report.summary();
    println!("\nMeasured in {} seconds.", begin.elapsed().as_secs());
    Ok(())
}

fn plans(quick: bool, crowd: usize) -> Vec<Plan> {
    let serve = |title: String, operation, peers, clients, judge| Plan {
        title,
        operation,
        peers,
        job: Job::Serve { clients },
        judge,
    };
    let mut plans = vec![Plan {
        title: "W2 · send 64 and recv 64 bytes over a socket pair".to_owned(),
        operation: "a pair",
        peers: &PAIR,
        job: Job::Alone,
        judge: targets::pair,
    }];
    for (clients, judge) in [(10, targets::select as fn(&mut Report, &Rows, &[f64])), (100, targets::select)]
    {
        let title =
            format!("W3 · select server, one of {clients} clients ready, the sets built anew each time");
        plans.push(serve(title, "a request", &SELECT[..], clients, judge));
    }
    let title = "W3-line · the same, reading lines of 64 bytes, 10 clients".to_owned();
    plans.push(serve(title, "a line", &LINE, 10, targets::line));
    for clients in if quick { vec![1_000] } else { vec![1_000, crowd] } {
        let title = format!("W4 · epoll echo on `EventBase`, {} clients", report::whole(clients as f64));
        plans.push(serve(title, "an event", &EPOLL, clients, targets::epoll));
    }
    plans.push(Plan {
        title: "W4 · a client's life: it comes, sends one request, goes".to_owned(),
        operation: "a life",
        peers: &EPOLL,
        job: Job::Visits,
        judge: targets::life,
    });
    plans
}

/// Measures the counts of one table, prints it and judges it.
fn play(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut rows = side_by_side(plan.peers, |peer| count(peer, plan.job))?;
    if matches!(plan.job, Job::Alone) {
        let empty = side_by_side(&EMPTY, |peer| count(peer, plan.job))?;
        for ((_, counts), peer) in rows.iter_mut().zip(plan.peers) {
            let loops = empty.iter().find(|(name, _)| *name == peer.language());
            counts.instructions -= loops.map_or(0.0, |(_, counts)| counts.instructions);
        }
    }
    let bytes = match plan.job {
        Job::Serve { clients } if plan.peers.len() == EPOLL.len() => {
            let all: Result<Vec<f64>> = plan.peers.iter().map(|peer| resident(peer, clients)).collect();
            Some(all?)
        }
        _ => None,
    };
    report.section(&plan.title);
    report::counts(plan.operation, &rows, bytes.as_deref());
    if bytes.is_some() {
        println!("PHP's event extension: not measured here.\n");
    }
    (plan.judge)(report, &rows.into_iter().collect(), bytes.as_deref().unwrap_or_default());
    Ok(())
}

/// Counts do not depend on what else runs: as many at a time as there are cores.
fn side_by_side(
    peers: &[Peer],
    one: impl Fn(&Peer) -> Result<Counts> + Sync,
) -> Result<Vec<(&'static str, Counts)>> {
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Result<Counts>>>> = peers.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for _ in cores() {
            scope.spawn(|| {
                while let Some(peer) = peers.get(next.load(Ordering::Relaxed)) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if let (Some(peer), Some(slot)) = (peers.get(place), done.get(place)) {
                        *slot.lock().expect("no thread panicked") = Some(one(peer));
                    }
                    let _ = peer;
                }
            });
        }
    });
    let counts = done.into_iter().filter_map(|slot| slot.into_inner().expect("no thread panicked"));
    peers.iter().zip(counts).map(|(peer, counts)| Ok((peer.name, counts?))).collect()
}

/// Measures the times and prints their tables.
fn time(quick: bool, crowd: usize, report: &mut Report) -> Result<()> {
    let cores = cores();
    let server = cores[0];
    let load = cores[cores.len() - 1];
    let (rounds, patience, scale) = if quick { (3, 2, 10) } else { (15, 45, 1) };
    let apart = Setting { server, load, rounds, patience: Duration::from_secs(patience) };
    let together = Setting { load: server, ..apart };
    let serve = |clients, requests, wave| Task::Serve { clients, requests: requests / scale, wave };
    let mut tables = vec![
        ("W1 · ping-pong of 64 bytes, both on one core", &ECHO[..], serve(1, 20_000, 1), together),
        ("W2 · send and recv over a socket pair", &PAIR, Task::Alone { pairs: 200_000 / scale }, apart),
        ("W3 · select server, 10 clients", &SELECT, serve(10, 10_000, 1), apart),
        ("W3 · select server, 100 clients", &SELECT, serve(100, 10_000, 1), apart),
        ("W3-line · lines of 64 bytes, 10 clients", &LINE, serve(10, 10_000, 1), apart),
        ("W4 · epoll echo, 1,000 clients, 100 requests at a time", &EPOLL, serve(1_000, 20_000, 100), apart),
    ];
    let title = format!("W4 · epoll echo, {} clients, 100 requests at a time", report::whole(crowd as f64));
    if !quick {
        tables.push((&title, &EPOLL, serve(crowd, 20_000, 100), apart));
    }
    for (title, peers, task, setting) in tables {
        let (times, rounds) = measure(peers, task, setting)?;
        report.section(&format!("Time · {title}"));
        println!("{rounds} rounds.\n");
        report::times("each", &times, matches!(task, Task::Serve { .. }));
        targets::times(report, &times);
    }
    Ok(())
}

/// What the numbers depend on.
fn machine() -> Result<String> {
    let said = |program: &str, argument: &str| -> Result<String> {
        let output = Command::new(program).arg(argument).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
    };
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    Ok(format!(
        "- {} · {} cores · {}\n- {}\n- {}\n- {}\n- {}",
        model.unwrap_or(std::env::consts::ARCH),
        cores().len(),
        said("uname", "-srm")?,
        said("rustc", "--version")?,
        said("cc", "--version")?,
        said("php", "--version")?,
        said("date", "+%Y-%m-%d")?,
    ))
}
