//! Ten thousand connections: this process serves them, another one makes them.

use std::cell::RefCell;
use std::os::fd::AsRawFd;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use php_sockets::event::{Event, EventBase};
use php_sockets::*;

use crate::{base, common, ms};

const CROWD: usize = 10_000;
const PORT: &str = "PHP_SOCKETS_TEST_CROWD_PORT";

fn raise_limit() {
    common::raise_descriptor_limit();
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` outlives the call, which writes it.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    assert!(
        limit.rlim_cur >= 10_500,
        "This test needs 10500 descriptors. Type: ulimit -H -n 10500 (as root)"
    );
}

type Member = (Rc<Socket>, Event);

/// The other process, which this file starts; among the other tests it has nothing to do.
#[test]
fn client_process() {
    let Ok(port) = std::env::var(PORT) else { return };
    raise_limit();
    let sockets: Vec<Socket> = (0..CROWD)
        .map(|_| {
            let socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP).unwrap();
            socket_connect(&socket, "127.0.0.1", port.parse::<u16>().unwrap()).unwrap();
            socket
        })
        .collect();
    for socket in &sockets {
        assert_eq!(socket_read(socket, 100, PHP_BINARY_READ).unwrap(), b"to all of you");
    }
}

pub(crate) fn cpu_time() -> Duration {
    // SAFETY: all zeros is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` outlives the call, which writes it.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
    let time = |t: libc::timeval| {
        Duration::from_micros(u64::try_from(t.tv_sec * 1_000_000 + t.tv_usec).unwrap_or(0))
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

#[test]
fn ten_thousand_connections_are_idle_for_free_and_all_receive_one_broadcast() {
    raise_limit();
    let base = base();
    let listener = socket_create_listen(0, SOMAXCONN).unwrap();
    let port = socket_getsockname(&listener).unwrap().port;
    let members: Rc<RefCell<Vec<Member>>> = Rc::default();
    let inner = Rc::clone(&members);
    let accept =
        Event::new(&base, listener, Event::READ | Event::PERSIST, move |base: &EventBase, listener, _| {
            let client = Rc::new(socket_accept(listener).unwrap());
            let event = Event::new(base, Rc::clone(&client), Event::READ | Event::PERSIST, |_, client, _| {
                panic!("{} speaks", client.as_raw_fd());
            })
            .unwrap();
            event.add(Duration::from_secs(600)).unwrap();
            inner.borrow_mut().push((client, event));
            if inner.borrow().len() == CROWD {
                base.exit(None);
            }
        })
        .unwrap();
    accept.add(None).unwrap();
    let guard = Event::timer(&base, |_| panic!("the crowd does not come"));
    guard.add(Duration::from_secs(60)).unwrap();
    let mut clients = common::limited_to(60, std::env::current_exe().unwrap());
    clients.args(["--exact", "crowd::client_process"]).env(PORT, port.to_string()).stdout(Stdio::null());
    let mut clients = common::Running::start(&mut clients);
    base.dispatch().unwrap();
    assert_eq!(members.borrow().len(), CROWD);

    let before = cpu_time();
    base.exit(ms(400));
    base.dispatch().unwrap();
    let idle = cpu_time().saturating_sub(before);
    assert!(idle < ms(20), "idle connections cost {idle:?}");

    for (client, _) in members.borrow().iter() {
        socket_write(client, "to all of you", None).unwrap();
    }
    assert!(clients.ended());
}
