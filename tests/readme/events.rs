//! The server of events: many clients, one thread, no limit of 1024 descriptors.

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use std::{cell::RefCell, collections::BTreeMap};
use std::{os::fd::AsRawFd, rc::Rc, time::Duration};

fn main() -> Result<()> {
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_bind(&listener, "127.0.0.1", 0)?;
    socket_listen(&listener, SOMAXCONN)?;
    socket_set_nonblock(&listener)?;
    println!("Listening on {}", socket_getsockname(&listener)?);

    let base = EventBase::new()?;
    // An event lives as long as it is kept.
    let clients: Rc<RefCell<BTreeMap<i32, Event>>> = Rc::default();
    let what = Event::READ | Event::PERSIST;
    let on_client = move |base: &EventBase, listener: &Socket, _: i32| {
        // Without a free descriptor, say, the client stays in the queue, and
        // asking again at once would spin.
        let Ok(client) = socket_accept(listener) else { return base.stop() };
        let (id, table) = (client.as_raw_fd(), Rc::clone(&clients));
        let mut data = Vec::new();
        let on_data = move |_: &EventBase, client: &Socket, _: i32| {
            let received = socket_recv(client, &mut data, 1024, MSG_DONTWAIT);
            let count = received.unwrap_or(0);
            let sent = || socket_send(client, &data, count, MSG_DONTWAIT);
            // The end of the stream, an error, or a client that does not read:
            // dropping the event closes the socket.
            if count == 0 || sent() != Ok(count) {
                table.borrow_mut().remove(&id);
            }
        };
        let Ok(echo) = Event::new(base, client, what, on_data) else { return };
        if echo.add(None).is_ok() {
            clients.borrow_mut().insert(id, echo);
        }
    };
    let accept = Event::new(&base, listener, what, on_client)?;
    loop {
        accept.add(None)?;
        base.dispatch()?; // until accept fails
        // The listener is left out, and the clients are served.
        accept.del();
        base.exit(Duration::from_millis(100));
        base.dispatch()?;
    }
}
