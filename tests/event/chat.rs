//! The chat of lesson 15, in fewer than a hundred lines: each line goes to all others.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::common;

/// The clients by their number: the socket to write to, and the event that reads.
type Room = Rc<RefCell<BTreeMap<u64, (Rc<Socket>, Event)>>>;

/// Tells all but one. A client that cannot take it is removed.
fn tell(room: &Room, from: u64, text: &str) {
    let told = |socket: &Socket| socket_write(socket, text, None) == Ok(text.len());
    let gone: Vec<u64> = room
        .borrow()
        .iter()
        .filter(|(id, (socket, _))| **id != from && !told(socket))
        .map(|(id, _)| *id)
        .collect();
    for id in gone {
        leave(room, id);
    }
}

fn leave(room: &Room, id: u64) {
    let left = room.borrow_mut().remove(&id);
    if left.is_some() {
        tell(room, id, &format!("client {id} leaves\n"));
    }
}

fn enter(base: &EventBase, room: &Room, id: u64, client: Socket) -> Result<()> {
    socket_set_nonblock(&client)?;
    let client = Rc::new(client);
    let here = Rc::clone(room);
    let event =
        Event::new(base, Rc::clone(&client), Event::READ | Event::PERSIST, move |base, client, _what| {
            match socket_read(client, 1024, PHP_BINARY_READ) {
                Err(error) if error.is_quiet() => {}
                Ok(data) if data == b"quit\n" => base.exit(None),
                Ok(data) if !data.is_empty() => {
                    // Control bytes of one terminal are not for the others.
                    let text: String = String::from_utf8_lossy(&data)
                        .chars()
                        .filter(|c| *c == '\n' || !c.is_control())
                        .collect();
                    tell(&here, id, &format!("client {id}: {text}"));
                }
                // The end of the stream, or an error: a level-triggered event would fire for ever.
                _ => leave(&here, id),
            }
        })?;
    event.add(None)?;
    room.borrow_mut().insert(id, (client, event));
    tell(room, id, &format!("client {id} comes\n"));
    Ok(())
}

fn serve(listener: Socket) -> Result<()> {
    let base = EventBase::new()?;
    let room = Room::default();
    let mut last_id = 0;
    let accept = Event::new(&base, listener, Event::READ | Event::PERSIST, move |base, listener, _what| {
        last_id += 1;
        if let Ok(client) = socket_accept(listener) {
            let _ = enter(base, &room, last_id, client);
        }
    })?;
    accept.add(None)?;
    base.dispatch()
}

#[test]
fn everyone_hears_what_one_says() {
    let (listener, port) = common::listener();
    let server = std::thread::spawn(move || serve(listener));
    let connect = || {
        let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
        socket_connect(&client, "127.0.0.1", port).unwrap();
        client
    };
    let hears =
        |client: &Socket| String::from_utf8(socket_read(client, 1000, PHP_NORMAL_READ).unwrap()).unwrap();

    let alice = connect();
    let bob = connect();
    assert_eq!(hears(&alice), "client 2 comes\n");
    let carol = connect();
    assert_eq!((hears(&alice), hears(&bob)), ("client 3 comes\n".into(), "client 3 comes\n".into()));
    socket_write(&alice, "hello \x1b[31mall\n", None).unwrap();
    assert_eq!(
        (hears(&bob), hears(&carol)),
        ("client 1: hello [31mall\n".into(), "client 1: hello [31mall\n".into())
    );
    socket_close(alice);
    assert_eq!((hears(&bob), hears(&carol)), ("client 1 leaves\n".into(), "client 1 leaves\n".into()));
    socket_write(&bob, "quit\n", None).unwrap();

    server.join().unwrap().unwrap();
}
