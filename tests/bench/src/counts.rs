//! Figures that repeat exactly: instructions, system calls, allocations. Each is the difference of a long and a short
//! run, so that what a program does once cancels.

use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::load::Load;
use crate::peers::{Peer, SHIM, built};
use crate::process::Running;

/// The work of a program.
#[derive(Clone, Copy)]
pub(crate) enum Job {
    /// Sends and receives by itself.
    Alone,
    /// Serves so many clients, one request at a time.
    Serve { clients: usize },
    /// Serves clients that come, send one request and go.
    Visits,
}

impl Job {
    /// The lengths of the short and of the long run.
    fn lengths(self) -> (u64, u64) {
        match self {
            Job::Alone => (1_000, 5_000),
            // How many clients come is how much there is that has to cancel.
            Job::Serve { clients } => (100, 100 + clients.max(400) as u64),
            Job::Visits => (100, 300),
        }
    }
}

/// The cost of one operation.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    pub(crate) calls: BTreeMap<String, f64>,
}

impl Counts {
    pub(crate) fn all_calls(&self) -> f64 {
        self.calls.values().sum()
    }
}

pub(crate) fn count(peer: &Peer, job: Job) -> Result<Counts> {
    let (short, long) = job.lengths();
    let per_operation = |less: u64, more: u64| (more as f64 - less as f64) / (long - short) as f64;
    let instructions = per_operation(instructions(peer, job, short)?, instructions(peer, job, long)?);
    let (less, few) = calls(peer, job, short)?;
    let (more, many) = calls(peer, job, long)?;
    let calls = more
        .into_iter()
        .map(|(name, calls)| (per_operation(less.get(&name).copied().unwrap_or(0), calls), name))
        .filter(|(calls, _)| *calls != 0.0)
        .map(|(calls, name)| (name, calls))
        .collect();
    Ok(Counts { instructions, allocations: per_operation(few, many), calls })
}

/// Runs a program under a tool; what it wrote on descriptor 2.
fn run(tool: &[&str], peer: &Peer, job: Job, length: u64) -> Result<String> {
    let mut words: Vec<String> = tool.iter().map(|word| (*word).to_owned()).collect();
    words.extend(peer.words(length)?);
    let mut program = Running::start(&words)?;
    let mut load = || -> Result<()> {
        let mut load = Load::on(program.port()?);
        match job {
            Job::Alone => {}
            Job::Serve { clients } => {
                load.join(clients, 1)?;
                load.play(length, 1)?;
            }
            Job::Visits => {
                load.join(1, 1)?;
                load.visits(length)?;
            }
        }
        load.leave(1)
    };
    if !matches!(job, Job::Alone) {
        load().map_err(|error| Error::other(format!("{words:?}: {error}")))?;
    }
    program.finish()
}

fn instructions(peer: &Peer, job: Job, length: u64) -> Result<u64> {
    let file = scratch("callgrind")?;
    run(&["valgrind", "--tool=callgrind", &format!("--callgrind-out-file={file}")], peer, job, length)?;
    let text = std::fs::read_to_string(&file)?;
    std::fs::remove_file(&file)?;
    text.lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .ok_or_else(|| Error::other("callgrind names no total"))
}

/// The system calls by name, and the number of allocations.
fn calls(peer: &Peer, job: Job, length: u64) -> Result<(BTreeMap<String, u64>, u64)> {
    let file = scratch("strace")?;
    let preload = format!("LD_PRELOAD={}", built(SHIM)?.display());
    // PHP has an allocator of its own, which would hide how often it is asked.
    let tool = ["strace", "-c", "-o", &file, "-E", &preload, "-E", "USE_ZEND_ALLOC=0"];
    let said = run(&tool, peer, job, length)?;
    let text = std::fs::read_to_string(&file)?;
    std::fs::remove_file(&file)?;
    let mut calls = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [_, _, _, count, .., name] = fields[..] {
            if let Ok(count) = count.parse() {
                calls.insert(name.to_owned(), count);
            }
        }
    }
    calls.remove("total");
    let allocations = said.lines().find_map(|line| line.strip_prefix("allocations: ")?.parse().ok());
    Ok((calls, allocations.ok_or_else(|| Error::other("the allocations were not counted"))?))
}

/// The resident bytes that a connection adds, once it has sent a request.
pub(crate) fn resident(peer: &Peer, clients: usize) -> Result<f64> {
    let mut program = Running::start(&peer.words(0)?)?;
    let mut load = Load::on(program.port()?);
    load.join(1, 1)?;
    let before = program.resident()?;
    load.join(clients - 1, 1)?;
    let after = program.resident()?;
    load.leave(1)?;
    program.finish()?;
    Ok((after as f64 - before as f64) / (clients - 1) as f64)
}

/// A name of its own: runs stand side by side.
fn scratch(tool: &str) -> Result<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(built(&format!("{tool}-{}-{number}", std::process::id()))?.display().to_string())
}
