//! The third server of the README: events, for as many clients as there are descriptors.

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    let base = EventBase::new()?;
    let clients: Rc<RefCell<BTreeMap<u64, Event>>> = Rc::default(); // an event lives as long as it is kept
    let mut last_id = 0;
    let accept = Event::new(&base, listener, Event::READ | Event::PERSIST, move |base, listener, _what| {
        last_id += 1;
        let (id, room) = (last_id, Rc::clone(&clients));
        let added = socket_accept(listener).and_then(|client| {
            socket_set_nonblock(&client)?;
            let event =
                Event::new(base, client, Event::READ | Event::PERSIST, move |_base, client, _what| {
                    let data = socket_read(client, 1024, PHP_BINARY_READ).unwrap_or_default();
                    // At the end of the stream, after an error, or if the client does not read: dropping the event closes it.
                    if data.is_empty() || socket_write(client, &data, None) != Ok(data.len()) {
                        room.borrow_mut().remove(&id);
                    }
                })?;
            event.add(None)?;
            clients.borrow_mut().insert(id, event);
            Ok(())
        });
        if let Err(error) = added {
            eprintln!("{error}"); // this client was not served; the others are
        }
    })?;
    accept.add(None)?;
    base.dispatch()
}
