//! The epoll echo server on `EventBase`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{answer, listen_here};

/// The state that the callbacks share.
#[derive(Default)]
struct State {
    clients: RefCell<BTreeMap<i32, Event>>,
    buffer: RefCell<Vec<u8>>,
}

pub(crate) fn serve(limit: Option<Duration>) -> Result<()> {
    let listener = listen_here()?;
    let base = EventBase::new()?;
    let state = Rc::new(State::default());
    let accept = Event::new(&base, listener, Event::READ | Event::PERSIST, move |base, listener, _what| {
        join(base, &state, listener, limit).expect("a client");
    })?;
    accept.add(None)?;
    base.dispatch()
}

fn join(base: &EventBase, state: &Rc<State>, listener: &Socket, limit: Option<Duration>) -> Result<()> {
    let client = socket_accept(listener)?;
    let (id, shared) = (client.as_raw_fd(), Rc::clone(state));
    let echo = Event::new(base, client, Event::READ | Event::PERSIST, move |base, client, _what| {
        if answer(client, &mut shared.buffer.borrow_mut()) {
            return;
        }
        let mut clients = shared.clients.borrow_mut();
        clients.remove(&id);
        if clients.is_empty() {
            base.stop();
        }
    })?;
    echo.add(limit)?;
    state.clients.borrow_mut().insert(id, echo);
    Ok(())
}
