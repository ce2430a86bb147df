//! The select server, with the arrays that `socket_select` takes.

use std::collections::BTreeMap;
use std::rc::Rc;

use php_sockets::*;

use crate::{answer, listen_here};

/// A `Vec<Rc<Socket>>` that is kept between the rounds and filled anew: PHP's `$read = $sockets`.
pub(crate) fn kept(answer: impl Fn(&Socket, &mut Vec<u8>) -> bool) -> Result<()> {
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

/// A new `Vec<&Socket>` for each round.
pub(crate) fn references() -> Result<()> {
    let listener = listen_here()?;
    let mut clients: Vec<Socket> = Vec::new();
    let mut buffer = Vec::new();
    loop {
        let mut read: Vec<&Socket> = Vec::with_capacity(clients.len() + 1);
        read.push(&listener);
        read.extend(&clients);
        socket_select(Some(&mut read), None, None, None, 0)?;
        // The references hold the clients: what changes them waits until they have gone.
        let joins = read[0] == &listener;
        let left = read.iter().skip(usize::from(joins)).find(|client| !answer(client, &mut buffer));
        if let Some(place) = left.and_then(|left| clients.iter().position(|client| client == *left)) {
            clients.remove(place);
            if clients.is_empty() {
                return Ok(());
            }
        }
        if joins {
            clients.push(socket_accept(&listener)?);
        }
    }
}

/// A new `Vec<(K, &Socket)>` for each round; the key is the place among the clients.
pub(crate) fn pairs() -> Result<()> {
    const LISTENER: usize = usize::MAX;
    let listener = listen_here()?;
    let mut clients: Vec<Socket> = Vec::new();
    let mut buffer = Vec::new();
    loop {
        let mut read: Vec<(usize, &Socket)> = Vec::with_capacity(clients.len() + 1);
        read.extend(clients.iter().enumerate());
        read.push((LISTENER, &listener));
        socket_select(Some(&mut read), None, None, None, 0)?;
        let joins = read.last().is_some_and(|(key, _)| *key == LISTENER);
        let left = read
            .iter()
            .take(read.len() - usize::from(joins))
            .find(|(_, client)| !answer(client, &mut buffer))
            .map(|(key, _)| *key);
        if let Some(key) = left {
            clients.remove(key);
            if clients.is_empty() {
                return Ok(());
            }
        }
        if joins {
            clients.push(socket_accept(&listener)?);
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
