//! What ours must reach.

use crate::Rows;
use crate::peers::{BY_HAND, C_NAME, EPOLL, OURS, OURS_KEPT, OURS_MAP, OURS_PAIRS, OURS_REFS, PHP_NAME};
use crate::report::{Report, short, whole};
use crate::times::Times;

/// A count is reached if it is no more than this above the target: the runs' ends differ by an instruction or two.
const NEARLY: f64 = 0.5;

fn at_most(report: &mut Report, what: &str, ours: f64, limit: f64) {
    report.target(&format!("{what}, at most {}", short(limit)), &short(ours), ours <= limit + NEARLY / 10.0);
}

fn instructions(report: &mut Report, what: &str, ours: f64, limit: f64) {
    report.target(&format!("{what}, at most {}", whole(limit)), &whole(ours), ours <= limit + NEARLY);
}

pub(crate) fn pair(report: &mut Report, rows: &Rows, _bytes: &[f64]) {
    let ours = &rows[OURS];
    let limit = rows[BY_HAND].instructions + 6.0;
    instructions(report, "instructions, by hand and 6 more", ours.instructions, limit);
    at_most(report, "allocations", ours.allocations, 0.0);
    at_most(report, "system calls", ours.all_calls(), 2.0);
}

pub(crate) fn select(report: &mut Report, rows: &Rows, _bytes: &[f64]) {
    let c = rows[C_NAME].instructions;
    for (name, limit, allocations) in
        [(OURS_KEPT, c, 0.0), (OURS_REFS, c * 1.3, 1.0), (OURS_PAIRS, c * 1.3, 1.0)]
    {
        let factor = if limit > c { "1.3 times C's" } else { "C's" };
        instructions(report, &format!("{name}: instructions, {factor}"), rows[name].instructions, limit);
        at_most(report, &format!("{name}: allocations"), rows[name].allocations, allocations);
    }
    for name in [OURS_KEPT, OURS_REFS, OURS_PAIRS, OURS_MAP] {
        at_most(report, &format!("{name}: system calls"), rows[name].all_calls(), 3.0);
    }
}

pub(crate) fn line(report: &mut Report, rows: &Rows, _bytes: &[f64]) {
    let recv = rows[OURS].calls.get("recvfrom").copied().unwrap_or_default();
    at_most(report, "recv a line", recv, 2.0);
}

pub(crate) fn epoll(report: &mut Report, rows: &Rows, bytes: &[f64]) {
    let ours = &rows[OURS];
    instructions(report, "instructions an event", ours.instructions, 150.0);
    at_most(report, "system calls an event", ours.all_calls(), 3.0);
    at_most(report, "allocations an event", ours.allocations, 0.0);
    if let Some(place) = EPOLL.iter().position(|peer| peer.name == OURS) {
        // The closure of this server and its own list of events are in the figure.
        instructions(report, "resident bytes a connection", bytes[place], 400.0);
    }
}

pub(crate) fn life(report: &mut Report, rows: &Rows, _bytes: &[f64]) {
    at_most(
        report,
        "system calls of a client's life, as C",
        rows[OURS].all_calls(),
        rows[C_NAME].all_calls(),
    );
}

pub(crate) fn times(report: &mut Report, times: &[Times]) {
    let of = |name: &str| times.iter().find(|times| times.name == name);
    if let (Some(ours), Some(php), true) = (of(OURS), of(PHP_NAME), of("C that looks, then takes").is_some())
    {
        let part = ours.cpu / php.cpu;
        report.target(
            "server's CPU, at most 1/7 of PHP's",
            &format!("1/{:.1}", 1.0 / part),
            part <= 1.0 / 7.0,
        );
        return;
    }
    let (Some(again), Some(ours)) = (times.last(), of(OURS).or_else(|| of(OURS_KEPT))) else { return };
    let limit = again.wall_ratio[2];
    let median = ours.wall_ratio[1];
    report.target(
        &format!("median within C's second run, at most {limit:.3}"),
        &format!("{median:.3}"),
        median <= limit,
    );
}
