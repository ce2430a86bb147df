//! Loads that live beside each other, each in a thread with a table of descriptors of its own: one table may be too
//! small for the clients of all servers.

use std::io::{Error, Result};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::Load;
use crate::process::give_way;

/// The load of one server, whose clients have come.
pub(crate) struct Player {
    orders: Sender<u64>,
    answers: Receiver<Result<Duration>>,
}

impl Player {
    /// Waits until the clients are there, and have sent one request each.
    pub(crate) fn join(port: u16, clients: usize, wave: usize) -> Result<Player> {
        let (orders, inbox) = channel();
        let (outbox, answers) = channel();
        thread::spawn(move || {
            let end = follow(port, clients, wave, &inbox, &outbox);
            outbox.send(end.map(|()| Duration::ZERO))
        });
        answer(&answers)?;
        Ok(Player { orders, answers })
    }

    /// How long so many requests take.
    pub(crate) fn play(&self, requests: u64) -> Result<Duration> {
        let _ = self.orders.send(requests);
        answer(&self.answers)
    }

    /// All clients go.
    pub(crate) fn leave(self) -> Result<()> {
        drop(self.orders);
        answer(&self.answers)?;
        Ok(())
    }
}

/// The thread's next message.
fn answer(answers: &Receiver<Result<Duration>>) -> Result<Duration> {
    answers.recv().map_err(Error::other)?
}

fn follow(
    port: u16,
    clients: usize,
    wave: usize,
    orders: &Receiver<u64>,
    answers: &Sender<Result<Duration>>,
) -> Result<()> {
    // SAFETY: the call takes a number. From here on this thread has a copy of the table of descriptors, in which the
    // others' pipes stay open for reading, which does no harm. It uses those alone that it opens itself, and no other
    // thread gets them.
    if unsafe { libc::unshare(libc::CLONE_FILES) } == -1 {
        return Err(Error::last_os_error());
    }
    // A server answers all that is there before a load on the same core looks at the first answer.
    give_way()?;
    let mut load = Load::on(port);
    load.join(clients, wave)?;
    let _ = answers.send(Ok(Duration::ZERO));
    for requests in orders {
        let begin = Instant::now();
        load.play(requests, wave)?;
        let _ = answers.send(Ok(begin.elapsed()));
    }
    load.leave(wave)
}
