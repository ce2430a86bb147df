//! Events: `EventBase` and `Event` of PHP's `event` extension, over epoll.
//!
//! An [`Event`] is a descriptor, a time-out or a signal with a callback. An [`EventBase`] waits for all its
//! events at once and calls their callbacks. Ten thousand idle connections cost no processor time, and there
//! is no limit of 1024 descriptors.
//!
//! ```
//! use std::rc::Rc;
//! use php_sockets::event::{Event, EventBase};
//! use php_sockets::*;
//!
//! let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
//! let base = EventBase::new()?;
//! let event = Event::new(&base, Rc::new(here), Event::READ, |_, socket, _| {
//!     let data = socket_read(socket, 100, PHP_BINARY_READ);
//!     assert_eq!(data.unwrap(), b"hello");
//! })?;
//! event.add(None)?;
//!
//! socket_write(&there, "hello", None)?;
//! base.dispatch()?; // ends when no event is pending any more
//! # Ok::<(), Error>(())
//! ```
//!
//! # Callbacks
//!
//! A callback gets the base, the owner of the descriptor and the bits that have happened. It may add, delete
//! and drop any event, its own included, and close sockets. Nothing that is gone is called, even if the number
//! of its descriptor is in use again. A callback that panics unwinds [`EventBase::run`]; its event is deleted,
//! as PHP deletes the event of a callback that throws, and the base can run again.
//!
//! # The order of calls
//!
//! The order is libevent's, on which PHP's extension stands. A round asks the kernel, in the order in which
//! descriptors became ready, and of one descriptor the event that was added last comes first. Time-outs that
//! have passed follow, by their time, and then signals. All of them wait in queues, one for each priority.
//! The round calls the most urgent queue until it is empty.
//!
//! Times are counted from the time that is cached for the round, so after a slow callback a time-out is late
//! by as much. [`EventBase::update_cache_time`] reads the clock again.
//!
//! # Differences from PHP
//!
//! - `loop` is a keyword of Rust: here it is [`EventBase::run`].
//! - Equal times are called in the order of `add`. In libevent that order is an accident of its heap.
//! - [`EventBase::priority_init`] in a callback is safe. PHP crashes.
//! - A socket that remembers an error can be waited for. In PHP its event is never created, without a warning.
//! - The callback gets the owner of the descriptor, not its number. The value that PHP passes as `$arg` is
//!   captured.
//! - A signal belongs to one base at a time, and the signals of faults (`SIGSEGV`, `SIGBUS`, `SIGILL`,
//!   `SIGFPE`) are refused.
//! - Functions that cannot fail return nothing, or the event, where PHP returns `true`.
//!
//! PHP's `EventListener`, `EventBuffer`, `EventBufferEvent`, `EventHttp`, `EventDnsBase` and
//! `EventSslContext` are not here: this crate wraps sockets. `std::io` buffers, and `tokio` has all of them.
//!
//! [Lesson 15](crate::lessons::lesson_15) · [php.net](https://www.php.net/book.event) ·
//! [epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html)

use std::ffi::c_int;

use crate::error::{Error, Result, Site};

mod base;
mod clock;
mod epoll;
mod handle;
mod pending;
mod run;
mod signal;
mod state;
mod table;
mod thread;
mod timeout;
mod watch;

pub use base::EventBase;
pub use handle::Event;
pub use timeout::Timeout;

const TIMEOUT: c_int = 1;
const READ: c_int = 2;
const WRITE: c_int = 4;
const SIGNAL: c_int = 8;
const PERSIST: c_int = 16;
const ET: c_int = 32;
