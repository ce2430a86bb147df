//! The select server, with the arrays that `socket_select` takes.

use std::collections::BTreeMap;
use std::rc::Rc;

use php_sockets::*;

use crate::{answer, listen_here};

/// A `Vec<Rc<Socket>>` that is kept between the rounds and filled anew: PHP's `$read = $sockets`.
pub(crate) fn shared() -> Result<()> {
    let listener = Rc::new(listen_here()?);
    let mut sockets = vec![Rc::clone(&listener)];
    let mut read = Vec::new();
    let mut buffer = Vec::new();
    loop {
        read.clone_from(&sockets);
        socket_select(Some(&mut read), None, None, None, 0)?;
        for socket in &read {
            if *socket == listener {
                sockets.push(Rc::new(socket_accept(&listener)?));
                continue;
            }
            if answer(socket, &mut buffer) {
                continue;
            }
            sockets.retain(|other| other != socket);
            if sockets.len() == 1 {
                return Ok(());
            }
        }
    }
}

/// PHP's `$read = $sockets`, with a list of references that is as old as the last client that came or went, and one that
/// is filled from it for each round.
pub(crate) fn kept_references(answer: impl Fn(&Socket, &mut Vec<u8>) -> bool) -> Result<()> {
    let mut sockets = vec![listen_here()?];
    let mut buffer = Vec::new();
    loop {
        // The references hold the sockets: what changes these waits until they have gone.
        let all: Vec<&Socket> = sockets.iter().collect();
        let listener = all[0];
        let mut read = Vec::new();
        let place = loop {
            read.clone_from(&all);
            socket_select(Some(&mut read), None, None, None, 0)?;
            let changes = read.iter().find(|socket| **socket == listener || !answer(socket, &mut buffer));
            if let Some(changes) = changes {
                break all.iter().position(|socket| socket == changes);
            }
        };
        if change(&mut sockets, place)? == 1 {
            return Ok(());
        }
    }
}

/// The same with keys, the places among the sockets: the kind of list that lesson 13 has.
pub(crate) fn kept_pairs() -> Result<()> {
    let mut sockets = vec![listen_here()?];
    let mut buffer = Vec::new();
    loop {
        let all: Vec<(usize, &Socket)> = sockets.iter().enumerate().collect();
        let mut read = Vec::new();
        let place = loop {
            read.clone_from(&all);
            socket_select(Some(&mut read), None, None, None, 0)?;
            let changes = read.iter().find(|(key, socket)| *key == 0 || !answer(socket, &mut buffer));
            if let Some((key, _)) = changes {
                break *key;
            }
        };
        if change(&mut sockets, Some(place))? == 1 {
            return Ok(());
        }
    }
}

/// The same with a new list for each round.
pub(crate) fn references() -> Result<()> {
    let mut sockets = vec![listen_here()?];
    let mut buffer = Vec::new();
    loop {
        let all: Vec<&Socket> = sockets.iter().collect();
        let listener = all[0];
        let place = loop {
            let mut read = all.clone();
            socket_select(Some(&mut read), None, None, None, 0)?;
            let changes = read.iter().find(|socket| **socket == listener || !answer(socket, &mut buffer));
            if let Some(changes) = changes {
                break all.iter().position(|socket| socket == changes);
            }
        };
        if change(&mut sockets, place)? == 1 {
            return Ok(());
        }
    }
}

/// The same with keys, the places among the sockets.
pub(crate) fn pairs() -> Result<()> {
    let mut sockets = vec![listen_here()?];
    let mut buffer = Vec::new();
    loop {
        let all: Vec<(usize, &Socket)> = sockets.iter().enumerate().collect();
        let place = loop {
            let mut read = all.clone();
            socket_select(Some(&mut read), None, None, None, 0)?;
            let changes = read.iter().find(|(key, socket)| *key == 0 || !answer(socket, &mut buffer));
            if let Some((key, _)) = changes {
                break *key;
            }
        };
        if change(&mut sockets, Some(place))? == 1 {
            return Ok(());
        }
    }
}

/// The socket at this place changes the list: the listener, which is the first, by a new client, a client by leaving.
/// Gives the number of sockets.
fn change(sockets: &mut Vec<Socket>, place: Option<usize>) -> Result<usize> {
    match place {
        Some(0) => {
            let client = socket_accept(&sockets[0])?;
            sockets.push(client);
        }
        Some(place) => drop(sockets.remove(place)),
        None => {}
    }
    Ok(sockets.len())
}

/// A table of clients, and a new list of keys and references for each round: the README's server.
pub(crate) fn table() -> Result<()> {
    let listener = listen_here()?;
    let mut clients: BTreeMap<u64, Socket> = BTreeMap::new();
    let mut last_id = 0;
    let mut buffer = Vec::new();
    loop {
        let mut read: Vec<(u64, &Socket)> = clients.iter().map(|(id, client)| (*id, client)).collect();
        read.push((0, &listener));
        socket_select(Some(&mut read), None, None, None, 0)?;
        let ready: Vec<u64> = read.into_iter().map(|(key, _)| key).collect();
        for key in ready {
            if key == 0 {
                last_id += 1;
                clients.insert(last_id, socket_accept(&listener)?);
                continue;
            }
            let Some(client) = clients.get(&key) else { continue };
            if answer(client, &mut buffer) {
                continue;
            }
            clients.remove(&key);
            if clients.is_empty() {
                return Ok(());
            }
        }
    }
}

/// The state of a client in lesson 13, beside its socket.
#[derive(Default)]
struct Client {
    output: Vec<u8>,
    end: Option<String>,
}

/// The sets of lesson 13: lists that are kept and filled anew for each round, from a table of sockets and a table of clients.
pub(crate) fn lesson() -> Result<()> {
    let listener = listen_here()?;
    let mut sockets: BTreeMap<u64, Socket> = BTreeMap::new();
    let mut clients: BTreeMap<u64, Client> = BTreeMap::new();
    let mut last_id = 0;
    let mut buffer = Vec::new();
    loop {
        let mut read: Vec<(u64, &Socket)> = Vec::new();
        let mut write: Vec<(u64, &Socket)> = Vec::new();
        let calling = loop {
            read.clear();
            write.clear();
            read.push((0, &listener));
            for (key, socket) in &sockets {
                let client = &clients[key];
                if client.end.is_none() {
                    read.push((*key, socket));
                }
                if !client.output.is_empty() {
                    write.push((*key, socket));
                }
            }
            socket_select(Some(&mut read), Some(&mut write), None, None, 0)?;
            let mut calling = false;
            for (key, socket) in &read {
                match clients.get_mut(key) {
                    Some(_) if answer(socket, &mut buffer) => {}
                    Some(client) => client.end = Some("has gone".to_owned()),
                    None => calling = true,
                }
            }
            if calling || clients.values().any(|client| client.end.is_some()) {
                break calling;
            }
        };
        clients.retain(|key, client| client.end.is_none() || sockets.remove(key).is_none());
        if calling {
            last_id += 1;
            sockets.insert(last_id, socket_accept(&listener)?);
            clients.insert(last_id, Client::default());
        } else if clients.is_empty() {
            return Ok(());
        }
    }
}

/// A new `BTreeMap<K, &Socket>` for each round.
pub(crate) fn map() -> Result<()> {
    let listener = listen_here()?;
    let mut clients: BTreeMap<u64, Socket> = BTreeMap::new();
    let mut last_id = 0;
    let mut buffer = Vec::new();
    loop {
        let mut read: BTreeMap<u64, &Socket> = clients.iter().map(|(id, client)| (*id, client)).collect();
        read.insert(0, &listener);
        socket_select(Some(&mut read), None, None, None, 0)?;
        let ready: Vec<u64> = read.into_keys().collect();
        for key in ready {
            if key == 0 {
                last_id += 1;
                clients.insert(last_id, socket_accept(&listener)?);
                continue;
            }
            if answer(&clients[&key], &mut buffer) {
                continue;
            }
            clients.remove(&key);
            if clients.is_empty() {
                return Ok(());
            }
        }
    }
}
