//! The tables of times.

use std::io::Result;
use std::time::Duration;

use crate::Extent;
use crate::peers::{ECHO, EPOLL, LINE, PAIR, Peer, SELECT};
use crate::process::cores;
use crate::report::{self, Report};
use crate::targets;
use crate::times::{Setting, Task, Times, measure};

type Judge = fn(&mut Report, &[Times]);

pub(crate) fn all(extent: Extent, report: &mut Report) -> Result<()> {
    let cores = cores();
    let (seconds, requests, pairs) = if extent.quick { (1, 1_000, 20_000) } else { (30, 5_000, 200_000) };
    let apart =
        Setting { server: cores[0], load: cores[cores.len() - 1], patience: Duration::from_secs(seconds) };
    // Where one of the two always waits for the other, they share a core: a second one would only add the time that it
    // takes to wake it.
    let together = Setting { load: apart.server, ..apart };
    let serve = |clients, wave| Task::Serve { clients, requests, wave };
    let none: Judge = |_, _| {};

    let mut table = |title: &str, peers: &[Peer], task, setting, judge: Judge| -> Result<()> {
        let (times, rounds) = measure(peers, task, setting)?;
        report.section(&format!("Time · {title}"));
        println!("{rounds} rounds.\n");
        report::times(&times, matches!(task, Task::Serve { .. }));
        judge(report, &times);
        Ok(())
    };

    table("W1 · ping-pong of 64 bytes, one core", &ECHO, serve(1, 1), together, targets::as_fast_as_c)?;
    table("W2 · send and recv over a socket pair", &PAIR, Task::Alone { pairs }, apart, none)?;
    table("W3 · select server, one of 10 clients ready, one core", &SELECT, serve(10, 1), together, none)?;
    table("W3 · select server, one of 100 clients ready, one core", &SELECT, serve(100, 1), together, none)?;
    let lines = "W3-line · lines of 64 bytes, all 10 clients ready, one core";
    table(lines, &LINE, serve(10, 10), together, targets::line_cpu)?;
    for clients in if extent.quick { vec![1_000] } else { vec![1_000, extent.crowd] } {
        let count = report::whole(clients as f64);
        let title = format!("W4 · epoll echo, {count} clients, 100 of them ready, two cores");
        table(&title, &EPOLL, serve(clients, 100), apart, targets::as_fast_as_c)?;
    }
    Ok(())
}
