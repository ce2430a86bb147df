//! One descriptor in epoll, shared by all events that wait for it.

use std::ffi::c_int;
use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;

use super::epoll;
use super::state::{AddError, Call, Id};
use super::{ET, READ, WRITE};

#[derive(Default)]
pub(super) struct Watch {
    generation: u32,
    /// What epoll was told, 0 for "not there".
    mask: u32,
    events: Vec<(Id, c_int)>,
    /// What to call when the descriptor is ready, if that is all there is to do: the callback of its only event, which
    /// persists and has no time-out.
    pub(super) sole: Option<Rc<dyn Call>>,
    /// What of its descriptor that event waits for.
    pub(super) what: c_int,
}

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const HANGUP: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
const EDGE: u32 = u32::from_ne_bytes(libc::EPOLLET.to_ne_bytes());

impl Watch {
    /// A new watch in the place of one that has ended.
    pub(super) fn begin(&mut self, generation: u32) {
        self.generation = generation;
    }

    /// How many events share it.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Its event, if there is one alone.
    pub(super) fn only(&self) -> Option<Id> {
        if let [(id, _)] = self.events[..] { Some(id) } else { None }
    }

    /// Whether this is the watch that epoll speaks of, and not an older one of the same descriptor.
    pub(super) fn is(&self, generation: u32) -> bool {
        self.generation == generation && !self.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What epoll gives back with the readiness of the descriptor: its number and the watch's.
    fn data(&self, fd: RawFd) -> u64 {
        u64::from(self.generation) << 32 | u64::from(u32::from_ne_bytes(fd.to_ne_bytes()))
    }

    /// The descriptor as a place, and the generation.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the halves of the number")]
    pub(super) fn from_data(data: u64) -> (usize, u32) {
        (data as u32 as usize, (data >> 32) as u32)
    }

    fn wanted(&self) -> u32 {
        self.events.iter().fold(0, |mask, (_, what)| {
            let bit = |flag, bit| if what & flag == 0 { 0 } else { bit };
            mask | bit(READ, IN) | bit(WRITE, OUT) | bit(ET, EDGE)
        })
    }

    /// Adds an event; all is as before if that fails.
    pub(super) fn add(&mut self, epoll: &OwnedFd, fd: RawFd, id: Id, what: c_int) -> Result<(), AddError> {
        if self.events.first().is_some_and(|(_, other)| (other ^ what) & ET != 0) {
            return Err(AddError::Mixed);
        }
        self.events.push((id, what));
        let told = self.tell(epoll, fd);
        if told.is_err() {
            self.events.pop();
        }
        told.map_err(AddError::Code)
    }

    /// Takes an event away. The kernel's word does not matter: a descriptor that it does not know is not watched. Nothing
    /// is to be said if the descriptor is about to be `closed`, and was the last event's.
    pub(super) fn remove(&mut self, epoll: &OwnedFd, fd: RawFd, id: Id, closed: bool) {
        self.events.retain(|(other, _)| *other != id);
        if closed && self.is_empty() {
            self.mask = 0;
        } else {
            let _ = self.tell(epoll, fd);
        }
    }

    /// Tells epoll what is wanted now, if that is something else than before.
    fn tell(&mut self, epoll: &OwnedFd, fd: RawFd) -> Result<(), c_int> {
        let wanted = self.wanted();
        let op = match (self.mask, wanted) {
            (old, new) if old == new => return Ok(()),
            (0, _) => libc::EPOLL_CTL_ADD,
            (_, 0) => libc::EPOLL_CTL_DEL,
            _ => libc::EPOLL_CTL_MOD,
        };
        let data = self.data(fd);
        let done = match epoll::control(epoll, op, fd, wanted, data) {
            // The number was closed and opened again behind our back, or its file is known from then.
            Err(libc::ENOENT) if op == libc::EPOLL_CTL_MOD => {
                epoll::control(epoll, libc::EPOLL_CTL_ADD, fd, wanted, data)
            }
            Err(libc::EEXIST) => epoll::control(epoll, libc::EPOLL_CTL_MOD, fd, wanted, data),
            done => done,
        };
        if done.is_ok() || wanted == 0 {
            self.mask = wanted;
        }
        done
    }

    /// Tells epoll what is wanted, if it has refused to hear that before.
    pub(super) fn tell_again(&mut self, epoll: &OwnedFd, fd: RawFd) {
        let _ = self.tell(epoll, fd);
    }

    /// Enters the watch into another epoll descriptor.
    pub(super) fn register(&self, epoll: &OwnedFd, fd: RawFd) -> Result<(), c_int> {
        epoll::control(epoll, libc::EPOLL_CTL_ADD, fd, self.mask, self.data(fd))
    }

    /// What of this readiness concerns the event at a position.
    pub(super) fn woken(&self, position: usize, ready: u32) -> (Id, c_int) {
        let (id, what) = self.events[position];
        (id, what & happened(ready))
    }

    /// What to call at once if this is the watch that epoll speaks of, and what with.
    #[inline]
    pub(super) fn sole(&self, generation: u32, ready: u32) -> Option<(&Rc<dyn Call>, c_int)> {
        if self.generation != generation {
            return None;
        }
        let callback = self.sole.as_ref()?;
        let what = self.what & happened(ready);
        if what == 0 { None } else { Some((callback, what)) }
    }
}

/// What has happened, by what epoll says. An error or a hang-up is for readers and writers: their next call tells them.
#[inline]
fn happened(ready: u32) -> c_int {
    HAPPENED[ready as usize % HAPPENED.len()]
}

/// Of the bits that epoll says, those that matter are the lowest five.
const HAPPENED: [c_int; 32] = {
    let mut table = [0; 32];
    let mut ready = 0;
    while ready < 32 {
        let read = if ready & (IN | HANGUP) == 0 { 0 } else { READ };
        let write = if ready & (OUT | HANGUP) == 0 { 0 } else { WRITE };
        table[ready as usize] = read | write;
        ready += 1;
    }
    table
};
