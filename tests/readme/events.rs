//! The third server of the README: many clients, one thread, and no limit of 1024 descriptors.

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use std::{cell::RefCell, collections::BTreeMap, os::fd::AsRawFd, rc::Rc};

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    let base = EventBase::new()?;
    let clients: Rc<RefCell<BTreeMap<i32, Event>>> = Rc::default(); // an event lives as long as it is kept
    let accept = Event::new(&base, listener, Event::READ | Event::PERSIST, move |base, listener, _what| {
        let Ok(client) = socket_accept(listener) else { return };
        let (id, room) = (client.as_raw_fd(), Rc::clone(&clients));
        let echo = Event::new(base, client, Event::READ | Event::PERSIST, move |_base, client, _what| {
            let data = socket_read(client, 1024, PHP_BINARY_READ).unwrap_or_default();
            // The end of the stream, an error, or a client that does not read: dropping the event closes the socket.
            if data.is_empty() || socket_send(client, &data, data.len(), MSG_DONTWAIT) != Ok(data.len()) {
                room.borrow_mut().remove(&id);
            }
        });
        if let Ok(echo) = echo.and_then(|echo| echo.add(None).map(|()| echo)) {
            clients.borrow_mut().insert(id, echo);
        }
    })?;
    accept.add(None)?;
    base.dispatch()
}
