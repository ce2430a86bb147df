//! How long it takes: all peers in turns, C once more at the end of each round to show the noise.

use std::io::Result;
use std::time::{Duration, Instant};

use crate::load::Load;
use crate::peers::Peer;
use crate::process::{Running, stay_on};

/// What the peers do in a round.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    /// So many pairs of send and recv.
    Alone { pairs: u64 },
    /// So many requests by the clients in turn, `wave` of them at the same time.
    Serve { clients: usize, requests: u64, wave: usize },
}

/// The cores of the server and of the load, and how long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) server: usize,
    pub(crate) load: usize,
    pub(crate) rounds: usize,
    pub(crate) patience: Duration,
}

/// No fewer rounds than these, however long they take: three have no quartiles.
const FEWEST: usize = 7;

#[derive(Clone, Copy)]
struct Sample {
    wall: f64,
    cpu: f64,
}

/// A peer's rounds: medians, and the quartiles of the ratio to C's first run of the same round.
pub(crate) struct Times {
    pub(crate) name: String,
    /// Microseconds of one operation.
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) wall_ratio: [f64; 3],
    pub(crate) cpu_ratio: [f64; 3],
}

/// Times all peers, the first of which is C, and C again. Also says how many rounds there were.
pub(crate) fn measure(peers: &[Peer], task: Task, setting: Setting) -> Result<(Vec<Times>, usize)> {
    let mut turn: Vec<Peer> = peers.to_vec();
    turn.push(peers[0]);
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); turn.len()];
    let begin = Instant::now();
    let mut rounds = 0;
    stay_on(setting.load);
    while rounds < setting.rounds && (rounds < FEWEST || begin.elapsed() < setting.patience) {
        for (peer, samples) in turn.iter().zip(&mut samples) {
            samples.push(sample(peer, task, setting)?);
        }
        rounds += 1;
    }
    let times = turn.iter().zip(&samples).enumerate().map(|(place, (peer, own))| {
        let again = if place == peers.len() { ", again" } else { "" };
        let of = |pick: fn(&Sample) -> f64| own.iter().map(pick).collect();
        let ratio = |pick: fn(&Sample) -> f64| {
            own.iter().zip(&samples[0]).map(|(own, c)| pick(own) / pick(c)).collect()
        };
        Times {
            name: format!("{}{again}", peer.name),
            wall: quartiles(of(|sample| sample.wall))[1],
            cpu: quartiles(of(|sample| sample.cpu))[1],
            wall_ratio: quartiles(ratio(|sample| sample.wall)),
            cpu_ratio: quartiles(ratio(|sample| sample.cpu)),
        }
    });
    Ok((times.collect(), rounds))
}

fn sample(peer: &Peer, task: Task, setting: Setting) -> Result<Sample> {
    let (wall, cpu, operations) = match task {
        Task::Alone { pairs } => {
            let (less, more) = (alone(peer, 1, setting)?, alone(peer, pairs + 1, setting)?);
            let time = more.saturating_sub(less);
            (time, time, pairs)
        }
        Task::Serve { clients, requests, wave } => {
            let mut program = start(peer, 0, setting)?;
            let mut load = Load::on(program.port()?);
            load.join(clients)?;
            load.play(requests / 10, wave)?; // caches and buffers warm
            let (begin, used) = (Instant::now(), program.cpu()?);
            load.play(requests, wave)?;
            let (wall, cpu) = (begin.elapsed(), program.cpu()?.saturating_sub(used));
            load.leave()?;
            program.finish()?;
            (wall, cpu, requests)
        }
    };
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / operations as f64;
    Ok(Sample { wall: micros(wall), cpu: micros(cpu) })
}

/// The time from the start of a program to its end.
fn alone(peer: &Peer, count: u64, setting: Setting) -> Result<Duration> {
    let begin = Instant::now();
    start(peer, count, setting)?.finish()?;
    Ok(begin.elapsed())
}

fn start(peer: &Peer, count: u64, setting: Setting) -> Result<Running> {
    let mut words = vec!["taskset".to_owned(), "--cpu-list".to_owned(), setting.server.to_string()];
    words.extend(peer.words(count)?);
    Running::start(&words)
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| {
        let place = quarter * (values.len() - 1);
        let (low, high) = (values[place / 4], values[place.div_ceil(4)]);
        low + (high - low) * (place % 4) as f64 / 4.0
    })
}
