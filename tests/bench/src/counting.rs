//! The tables of counts.

use std::collections::BTreeMap;
use std::io::Result;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::counts::{Counts, Job, count, resident};
use crate::peers::{EMPTY, EPOLL, LINE, PAIR, Peer, SELECT, TIME_OUTS};
use crate::process::{cores, raise_descriptors, stay_on};
use crate::report::{self, Report};
use crate::targets;
use crate::{BESIDE, Extent};

/// The counts by the name of the peer.
pub(crate) type Rows = BTreeMap<&'static str, Counts>;

pub(crate) fn all(extent: Extent, report: &mut Report) -> Result<()> {
    let mut pairs = side_by_side(&PAIR, Job::Alone)?;
    let empty: Rows = side_by_side(&EMPTY, Job::Alone)?.into_iter().collect();
    for ((_, counts), peer) in pairs.iter_mut().zip(&PAIR) {
        counts.instructions -= empty[peer.language()].instructions;
    }
    report.section("W2 · send 64 and recv 64 bytes over a socket pair");
    report::counts("a pair", &pairs, None);
    targets::pair(report, &pairs.into_iter().collect());

    for clients in [10, 100] {
        let rows = side_by_side(&SELECT, Job::Serve { clients })?;
        report.section(&format!(
            "W3 · select server, one of {clients} clients ready, its sets filled anew each time"
        ));
        report::counts("a request", &rows, None);
        targets::select(report, &rows.into_iter().collect());
    }

    let lines = side_by_side(&LINE, Job::Serve { clients: 10 })?;
    report.section("W3-line · the same, reading lines of 64 bytes, one of 10 clients ready");
    report::counts("a line", &lines, None);
    targets::line(report, &lines.into_iter().collect());

    for clients in if extent.quick { vec![1_000] } else { vec![1_000, extent.crowd] } {
        let rows = side_by_side(&EPOLL, Job::Serve { clients })?;
        let bytes: Result<Vec<f64>> = EPOLL.iter().map(|peer| resident(peer, clients)).collect();
        let bytes = bytes?;
        report.section(&format!("W4 · epoll echo on `EventBase`, {} clients", report::whole(clients as f64)));
        report::counts("an event", &rows, Some(&bytes));
        println!("\nPHP's event extension: not measured here.");
        targets::epoll(report, &rows.into_iter().collect(), &bytes);
    }

    for clients in if extent.quick { vec![1_000] } else { vec![1_000, extent.crowd] } {
        let rows = side_by_side(&TIME_OUTS, Job::Serve { clients })?;
        let bytes: Result<Vec<f64>> = TIME_OUTS.iter().map(|peer| resident(peer, clients)).collect();
        report.section(&format!("W5 · the same with time-outs, {} clients", report::whole(clients as f64)));
        report::counts("an event", &rows, Some(&bytes?));
        targets::time_outs(report, &rows.into_iter().collect());
    }

    let visits = side_by_side(&EPOLL, Job::Visits)?;
    report.section("W4 · a client's life: it comes, sends one request, goes");
    report::counts("a life", &visits, None);
    targets::life(report, &visits.into_iter().collect());
    Ok(())
}

/// Counts do not depend on what else runs: as many at a time as there are cores. PHP, the last and slowest, begins.
/// A server and its load share a core, where they need not wake another one for each request.
fn side_by_side(peers: &[Peer], job: Job) -> Result<Vec<(&'static str, Counts)>> {
    let left = AtomicUsize::new(peers.len());
    let done: Vec<Mutex<Option<Result<Counts>>>> = peers.iter().map(|_| Mutex::default()).collect();
    let next = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).ok();
    // The loads of all of them share this process's descriptors.
    let each = if let Job::Serve { clients } = job { clients + BESIDE } else { BESIDE };
    let workers = (raise_descriptors() / each).max(1);
    std::thread::scope(|scope| {
        for core in cores().into_iter().take(workers) {
            let (next, done) = (&next, &done);
            scope.spawn(move || {
                stay_on(core);
                while let Some(left) = next() {
                    let counts = count(&peers[left - 1], job);
                    *done[left - 1].lock().expect("no thread panicked") = Some(counts);
                }
            });
        }
    });
    let counts = done.into_iter().filter_map(|slot| slot.into_inner().expect("no thread panicked"));
    peers.iter().zip(counts).map(|(peer, counts)| Ok((peer.name, counts?))).collect()
}
