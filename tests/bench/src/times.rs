//! How long it takes: all peers in turns, a second C at the other end of each round to show the noise.

use std::io::Result;
use std::time::{Duration, Instant};

use crate::peers::Peer;
use crate::player::Player;
use crate::process::{Running, stay_on};

/// The work of the peers in a round.
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
    pub(crate) patience: Duration,
}

/// Every program is started so many times: where its memory happens to lie makes it some hundredths faster or slower for
/// all its life.
const HEATS: u32 = 6;

/// No fewer rounds than these in a heat, however long they take: fewer than a dozen have no quartiles worth the name.
const FEWEST: usize = 2;

#[derive(Clone, Copy)]
struct Sample {
    wall: f64,
    cpu: f64,
}

/// A peer's rounds: medians, and the quartiles of the ratio to the first C's turn of the same round.
pub(crate) struct Times {
    pub(crate) name: String,
    /// Microseconds of one operation.
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) wall_ratio: [f64; 3],
    /// Where the median of `wall_ratio` would be in 95 of 100 such runs.
    pub(crate) range: [f64; 2],
    pub(crate) cpu_ratio: [f64; 3],
}

/// Times all peers, the first of which is C, and C again. Also says how many rounds there were.
pub(crate) fn measure(peers: &[Peer], task: Task, setting: Setting) -> Result<(Vec<Times>, usize)> {
    stay_on(setting.load);
    let turn: Vec<Peer> = peers.iter().chain(&peers[..1]).copied().collect();
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); turn.len()];
    for heat in 0..HEATS {
        let mut racers = Vec::new();
        for place in 0..turn.len() {
            // No peer gains by a place: every other heat turns them round.
            let place = if heat % 2 == 0 { place } else { turn.len() - 1 - place };
            racers.push((Racer::start(&turn[place], task, setting)?, place));
        }
        let begin = Instant::now();
        let mut rounds = 0;
        while rounds < FEWEST || begin.elapsed() < setting.patience / HEATS {
            for (racer, place) in &mut racers {
                samples[*place].push(racer.run(setting)?);
            }
            rounds += 1;
        }
        racers.into_iter().try_for_each(|(racer, _)| racer.finish())?;
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
            range: range(ratio(|sample| sample.wall)),
            cpu_ratio: quartiles(ratio(|sample| sample.cpu)),
        }
    });
    Ok((times.collect(), samples[0].len()))
}

/// A peer in a heat.
enum Racer {
    /// A program that is started for each run.
    Alone { peer: Peer, pairs: u64 },
    /// A server and its clients, who stay all the time, so that turns can be short: what else the machine does then
    /// slows all of a round, and their ratio is as it was.
    Serve { program: Running, clients: Player, requests: u64 },
}

impl Racer {
    fn start(peer: &Peer, task: Task, setting: Setting) -> Result<Racer> {
        Ok(match task {
            Task::Alone { pairs } => Racer::Alone { peer: *peer, pairs },
            Task::Serve { clients, requests, wave } => {
                let mut program = start(peer, 0, setting)?;
                let clients = Player::join(program.port()?, clients, wave);
                let clients = clients.map_err(|error| program.failed(error))?;
                Racer::Serve { program, clients, requests }
            }
        })
    }

    fn run(&mut self, setting: Setting) -> Result<Sample> {
        let (wall, cpu, operations) = match self {
            Racer::Alone { peer, pairs } => {
                let (less, more) = (alone(peer, 1, setting)?, alone(peer, *pairs + 1, setting)?);
                let time = more.saturating_sub(less);
                (time, time, *pairs)
            }
            Racer::Serve { program, clients, requests } => {
                play(program, clients, *requests / 10)?; // its code and its buffer are in the caches again
                let used = program.cpu()?;
                let wall = play(program, clients, *requests)?;
                (wall, program.cpu()?.saturating_sub(used), *requests)
            }
        };
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / operations as f64;
        Ok(Sample { wall: micros(wall), cpu: micros(cpu) })
    }

    fn finish(self) -> Result<()> {
        if let Racer::Serve { mut program, clients, .. } = self {
            clients.leave().map_err(|error| program.failed(error))?;
            program.finish()?;
        }
        Ok(())
    }
}

fn play(program: &mut Running, clients: &Player, requests: u64) -> Result<Duration> {
    clients.play(requests).map_err(|error| program.failed(error))
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

/// Where the median is but for chance: of `n` values half are below it, give or take the root of `n`.
fn range(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let low = (values.len() / 2).saturating_sub(values.len().isqrt() + 1);
    [values[low], values[values.len() - 1 - low]]
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
