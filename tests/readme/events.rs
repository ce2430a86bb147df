//! The third server of the README: many clients, one thread, and no limit of 1024 descriptors.

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use std::{cell::RefCell, collections::BTreeMap, os::fd::AsRawFd, rc::Rc, time::Duration};

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    socket_set_nonblock(&listener)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    let base = EventBase::new()?;
    let clients: Rc<RefCell<BTreeMap<i32, Event>>> = Rc::default(); // an event lives as long as it is kept
    let accept = Event::new(&base, listener, Event::READ | Event::PERSIST, move |base, listener, _what| {
        // Without a free descriptor, say, the client stays in the queue, and asking again at once would spin.
        let Ok(client) = socket_accept(listener) else { return base.stop() };
        let (id, room) = (client.as_raw_fd(), Rc::clone(&clients));
        let mut data = Vec::new();
        let echo = Event::new(base, client, Event::READ | Event::PERSIST, move |_base, client, _what| {
            let count = socket_recv(client, &mut data, 1024, MSG_DONTWAIT).unwrap_or(0);
            // The end of the stream, an error, or a client that does not read: dropping the event closes the socket.
            if count == 0 || socket_send(client, &data, count, MSG_DONTWAIT) != Ok(count) {
                room.borrow_mut().remove(&id);
            }
        });
        if let Ok(echo) = echo.and_then(|echo| echo.add(None).map(|()| echo)) {
            clients.borrow_mut().insert(id, echo);
        }
    })?;
    loop {
        accept.add(None)?;
        base.dispatch()?; // until accept fails; then the listener rests, and the clients are served
        accept.del();
        base.exit(Duration::from_millis(100));
        base.dispatch()?;
    }
}
