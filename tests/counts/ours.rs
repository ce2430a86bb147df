//! The workloads with this crate.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

#[inline(never)]
pub fn pair(rounds: usize, here: &Socket, there: &Socket, request: &[u8]) -> Result<()> {
    let mut data = Vec::new();
    for _ in 0..rounds {
        socket_send(here, request, 64, 0)?;
        socket_recv(there, &mut data, 64, 0)?;
    }
    Ok(())
}

/// The same with flags and a length that the compiler does not know.
#[inline(never)]
pub fn pair_with_flags(
    rounds: usize,
    here: &Socket,
    there: &Socket,
    request: &[u8],
    (length, flags): (usize, i32),
) -> Result<()> {
    let mut data = Vec::new();
    for _ in 0..rounds {
        socket_send(here, request, length, flags)?;
        socket_recv(there, &mut data, length, flags)?;
    }
    Ok(())
}

#[inline(never)]
pub fn lines(rounds: usize, here: &Socket, there: &Socket, line: &[u8]) -> Result<()> {
    for _ in 0..rounds {
        socket_send(here, line, line.len(), 0)?;
        assert_eq!(socket_read(there, 1024, PHP_NORMAL_READ)?.len(), line.len());
    }
    Ok(())
}

/// Short answers to a reader that is ready for long ones.
#[inline(never)]
pub fn reads(rounds: usize, here: &Socket, there: &Socket, answer: &[u8], length: usize) -> Result<()> {
    for _ in 0..rounds {
        socket_send(here, answer, answer.len(), 0)?;
        assert_eq!(socket_read(there, length, PHP_BINARY_READ)?.len(), answer.len());
    }
    Ok(())
}

#[inline(always)]
fn answer(client: &Socket, data: &mut Vec<u8>) -> Result<usize> {
    socket_recv(client, data, 1024, 0)?;
    socket_send(client, &*data, data.len(), 0)
}

/// PHP's `$read = $clients`: a list of shared sockets, whose memory is kept from round to round.
#[inline(never)]
pub fn select_shared(rounds: usize, clients: &Vec<Rc<Socket>>) -> Result<()> {
    let (mut read, mut data) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        read.clone_from(clients);
        socket_select(Some(&mut read), None, None, None, 0)?;
        for client in &read {
            if client == &clients[0] {
                drop(socket_accept(client)?);
                continue;
            }
            answer(client, &mut data)?;
        }
    }
    Ok(())
}

/// A new list of references each round.
#[inline(never)]
pub fn select_references(rounds: usize, clients: &[Socket]) -> Result<()> {
    let mut data = Vec::new();
    for _ in 0..rounds {
        let mut read: Vec<&Socket> = clients.iter().collect();
        socket_select(Some(&mut read), None, None, None, 0)?;
        for client in read {
            if client == &clients[0] {
                drop(socket_accept(client)?);
                continue;
            }
            answer(client, &mut data)?;
        }
    }
    Ok(())
}

/// One list of references, for as long as no client comes or goes.
#[inline(never)]
pub fn select_kept_references(rounds: usize, clients: &[Socket]) -> Result<()> {
    let all: Vec<&Socket> = clients.iter().collect();
    let (mut read, mut data) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        read.clone_from(&all);
        socket_select(Some(&mut read), None, None, None, 0)?;
        for client in &read {
            if *client == &clients[0] {
                drop(socket_accept(client)?);
                continue;
            }
            answer(client, &mut data)?;
        }
    }
    Ok(())
}

/// The same with keys, the kind of list that lesson 13 has.
#[inline(never)]
pub fn select_kept_keys(rounds: usize, clients: &[Socket]) -> Result<()> {
    let all: Vec<(usize, &Socket)> = clients.iter().enumerate().collect();
    let (mut read, mut data) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        read.clone_from(&all);
        socket_select(Some(&mut read), None, None, None, 0)?;
        for (key, client) in &read {
            if *key == 0 {
                drop(socket_accept(client)?);
                continue;
            }
            answer(client, &mut data)?;
        }
    }
    Ok(())
}

/// A new list of keys and references each round.
#[inline(never)]
pub fn select_keys(rounds: usize, clients: &[Socket]) -> Result<()> {
    let mut data = Vec::new();
    for _ in 0..rounds {
        let mut read: Vec<(usize, &Socket)> = clients.iter().enumerate().collect();
        socket_select(Some(&mut read), None, None, None, 0)?;
        for (key, client) in read {
            if key == 0 {
                drop(socket_accept(client)?);
                continue;
            }
            answer(client, &mut data)?;
        }
    }
    Ok(())
}

/// A new map of references each round.
#[inline(never)]
pub fn select_tree(rounds: usize, clients: &BTreeMap<usize, Socket>) -> Result<()> {
    let mut data = Vec::new();
    for _ in 0..rounds {
        let mut read: BTreeMap<usize, &Socket> = clients.iter().map(|(key, client)| (*key, client)).collect();
        socket_select(Some(&mut read), None, None, None, 0)?;
        for (key, client) in read {
            if key == 0 {
                drop(socket_accept(client)?);
                continue;
            }
            answer(client, &mut data)?;
        }
    }
    Ok(())
}

/// A table of clients and a new list of their keys and references each round: the select server of the README.
#[inline(never)]
pub fn select_table(rounds: usize, listener: &Socket, clients: &BTreeMap<u64, Socket>) -> Result<()> {
    let mut data = Vec::new();
    for _ in 0..rounds {
        let mut read: Vec<(u64, &Socket)> = clients.iter().map(|(id, client)| (*id, client)).collect();
        read.push((0, listener));
        socket_select(Some(&mut read), None, None, None, 0)?;
        let ready: Vec<u64> = read.into_iter().map(|(key, _)| key).collect();
        for key in ready {
            if key == 0 {
                drop(socket_accept(listener)?);
                continue;
            }
            let Some(client) = clients.get(&key) else { continue };
            answer(client, &mut data)?;
        }
    }
    Ok(())
}

#[inline(never)]
pub fn events(rounds: usize, timeout: Option<Duration>, clients: impl Iterator<Item = Socket>) -> Result<()> {
    let base = EventBase::new()?;
    let left = Rc::new(Cell::new(rounds));
    let mut events = Vec::new();
    for client in clients {
        let (left, mut data) = (Rc::clone(&left), Vec::with_capacity(1024));
        let event = Event::new(&base, client, Event::READ | Event::PERSIST, move |base, client, _| {
            left.set(left.get() - 1);
            if answer(client, &mut data).is_err() || left.get() == 0 {
                base.stop();
            }
        })?;
        event.add(timeout)?;
        events.push(event);
    }
    base.dispatch()
}

/// A timer that is added again before it comes up, as a watchdog is, among as many others as there are clients.
#[inline(never)]
pub fn timers_again(rounds: usize, count: usize) -> Result<()> {
    let base = EventBase::new()?;
    let timers: Vec<Event> = (0..count).map(|_| Event::timer(&base, |_| ())).collect();
    for (seconds, timer) in (60..).zip(&timers) {
        timer.add(Duration::from_secs(seconds))?;
    }
    for timer in timers.iter().cycle().take(rounds) {
        timer.add(Duration::from_secs(3600))?;
    }
    Ok(())
}

/// A timer that adds itself again in its callback.
#[inline(never)]
pub fn timers_fired(rounds: usize, count: usize) -> Result<()> {
    let base = EventBase::new()?;
    let others: Vec<Event> = (0..count).map(|_| Event::timer(&base, |_| ())).collect();
    for (seconds, timer) in (60..).zip(&others) {
        timer.add(Duration::from_secs(seconds))?;
    }
    let own: Rc<RefCell<Option<Event>>> = Rc::default();
    let (again, mut left) = (Rc::clone(&own), rounds);
    let timer = Event::timer(&base, move |base| {
        left -= 1;
        if left == 0 {
            base.stop();
        }
        if let Some(timer) = &*again.borrow() {
            timer.add(Duration::ZERO).expect("added");
        }
    });
    timer.add(Duration::ZERO)?;
    *own.borrow_mut() = Some(timer);
    base.dispatch()
}
