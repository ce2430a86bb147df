//! The targets that ours must reach.

use crate::counting::Rows;
use crate::peers::{
    BY_HAND, C_NAME, EPOLL, LIBEVENT_TIMED, OURS, OURS_KEPT, OURS_KEPT_PAIRS, OURS_LESSON, OURS_MAP,
    OURS_PAIRS, OURS_REFS, OURS_SHARED, OURS_TABLE, OURS_TIMED, PHP_NAME,
};
use crate::report::{Report, short, whole};
use crate::times::Times;

/// A table is rounded to whole instructions, and so is the judgement.
fn instructions(report: &mut Report, what: &str, ours: f64, limit: f64) {
    report.target(&format!("{what}, at most {}", whole(limit)), &whole(ours), ours.round() <= limit.round());
}

/// A hundredth less or more is one call of a whole run.
fn at_most(report: &mut Report, what: &str, ours: f64, limit: f64) {
    report.target(&format!("{what}, at most {}", short(limit)), &short(ours), ours <= limit + 0.01);
}

pub(crate) fn pair(report: &mut Report, rows: &Rows) {
    let ours = &rows[OURS];
    instructions(
        report,
        "instructions, no more than 6 above those by hand",
        ours.instructions,
        rows[BY_HAND].instructions + 6.0,
    );
    at_most(report, "allocations", ours.allocations, 0.0);
    at_most(report, "system calls", ours.all_calls(), 2.0);
}

pub(crate) fn select(report: &mut Report, rows: &Rows) {
    let c = rows[C_NAME].instructions;
    for (name, factor, allocations) in
        [(OURS_KEPT, 1.0, 0.0), (OURS_KEPT_PAIRS, 1.0, 0.0), (OURS_REFS, 1.3, 1.0), (OURS_PAIRS, 1.3, 1.0)]
    {
        let what =
            format!("{name}: instructions, no more than {}C's", if factor > 1.0 { "1.3 times " } else { "" });
        instructions(report, &what, rows[name].instructions, c * factor);
        at_most(report, &format!("{name}: allocations"), rows[name].allocations, allocations);
    }
    at_most(report, &format!("{OURS_SHARED}: allocations"), rows[OURS_SHARED].allocations, 0.0);
    for name in
        [OURS_KEPT, OURS_KEPT_PAIRS, OURS_SHARED, OURS_REFS, OURS_PAIRS, OURS_TABLE, OURS_LESSON, OURS_MAP]
    {
        at_most(report, &format!("{name}: system calls"), rows[name].all_calls(), 3.0);
    }
}

pub(crate) fn line(report: &mut Report, rows: &Rows) {
    let recv = rows[OURS].calls.get("recvfrom").copied().unwrap_or_default();
    at_most(report, "recv a line", recv, 2.0);
}

pub(crate) fn epoll(report: &mut Report, rows: &Rows, bytes: &[f64]) {
    let ours = &rows[OURS];
    instructions(report, "instructions an event", ours.instructions, 150.0);
    at_most(report, "system calls an event", ours.all_calls(), 3.0);
    at_most(report, "allocations an event", ours.allocations, 0.0);
    if let Some(place) = EPOLL.iter().position(|peer| peer.name == OURS) {
        // The captures of this server's closures, and its own list of events, are in the figure.
        report.target(
            "resident bytes a connection, at most 300",
            &whole(bytes[place]),
            bytes[place].round() <= 300.0,
        );
    }
}

pub(crate) fn time_outs(report: &mut Report, rows: &Rows) {
    let half = rows[LIBEVENT_TIMED].instructions / 2.0;
    instructions(report, "instructions an event with a time-out", rows[OURS_TIMED].instructions, half);
    at_most(report, "allocations an event with a time-out", rows[OURS_TIMED].allocations, 0.0);
}

pub(crate) fn life(report: &mut Report, rows: &Rows) {
    at_most(
        report,
        "system calls in a client's life, as C",
        rows[OURS].all_calls(),
        rows[C_NAME].all_calls(),
    );
}

fn of<'a>(times: &'a [Times], name: &str) -> Option<&'a Times> {
    times.iter().find(|times| times.name == name)
}

/// Ours is no slower than C is in three quarters of its second runs.
pub(crate) fn as_fast_as_c(report: &mut Report, times: &[Times]) {
    let (Some(again), Some(ours)) = (times.last(), of(times, OURS)) else { return };
    let (limit, median) = (again.wall_ratio[2], ours.wall_ratio[1]);
    let target =
        format!("the median no slower than the upper quartile of C's second run, at most {limit:.3}");
    report.target(&target, &format!("{median:.3}"), median <= limit);
}

pub(crate) fn line_cpu(report: &mut Report, times: &[Times]) {
    let (Some(ours), Some(php)) = (of(times, OURS), of(times, PHP_NAME)) else { return };
    let part = php.cpu_ratio[1] / ours.cpu_ratio[1];
    report.target("server's CPU, at most 1/7 of PHP's", &format!("1/{part:.2}"), part >= 7.0);
}
