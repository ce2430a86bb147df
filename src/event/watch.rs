//! One descriptor in epoll, shared by all events that wait for it.

use std::ffi::c_int;
use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;

use super::table::{Call, NONE, Table};
use super::{ET, PERSIST, READ, WRITE, epoll};

pub(super) struct Watch {
    /// The word that epoll gives back with a readiness: the descriptor, and above it how many watches there were before this
    /// one. The answer for an older watch of the same descriptor differs.
    data: u64,
    /// The mask that epoll has, 0 for "not there".
    mask: u32,
    /// Its event that was added last: the head of a list.
    pub(super) first: u32,
    /// Its `READ`, `WRITE` and `ET`, and its callback, if it is the only one, persists, and has no time-out: then a readiness
    /// needs nothing but the call. It saves 23 of 163 instructions an event.
    what: u8,
    sole: Option<Rc<dyn Call>>,
}

impl Default for Watch {
    fn default() -> Watch {
        Watch { data: 0, mask: 0, first: NONE, what: 0, sole: None }
    }
}

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const HANGUP: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
const EDGE: u32 = u32::from_ne_bytes(libc::EPOLLET.to_ne_bytes());

/// The mask for the `READ` and `WRITE` of an event.
fn mask_of(what: u8) -> u32 {
    let bit = |flag, bit| if c_int::from(what) & flag == 0 { 0 } else { bit };
    bit(READ, IN) | bit(WRITE, OUT)
}

/// The mask that all events of a list need.
fn needed(table: &Table, first: u32) -> u32 {
    table.list(first).fold(0, |mask, (_, entry)| mask | mask_of(entry.what))
}

/// The last event that changes a descriptor's mask decides whether it is edge-triggered, as in libevent.
fn edge_of(what: u8) -> u32 {
    if c_int::from(what) & ET == 0 { 0 } else { EDGE }
}

impl Watch {
    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Whether epoll means this watch, and not an older one of the same descriptor.
    pub(super) fn is(&self, data: u64) -> bool {
        self.data == data && !self.is_empty()
    }

    /// The place of a descriptor among the watches.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of the word")]
    pub(super) fn place(data: u64) -> usize {
        data as u32 as usize
    }

    /// Adds an event; all is as before if that fails.
    pub(super) fn add(
        &mut self,
        epoll: &OwnedFd,
        fd: RawFd,
        table: &mut Table,
        index: u32,
        generation: u32,
    ) -> Result<(), c_int> {
        let old = needed(table, self.first);
        if self.is_empty() {
            self.data = u64::from(generation) << 32 | u64::from(fd.unsigned_abs());
            self.mask = 0;
        }
        let first = self.first;
        if let Some(entry) = table.at(index) {
            let mask = mask_of(entry.what);
            if mask & !old != 0 {
                self.set(epoll, fd, old | mask | edge_of(entry.what))?;
            }
            entry.next = first;
            self.first = index;
        }
        Ok(())
    }

    /// Takes an event away. A failure of the kernel changes nothing: a descriptor that it does not know is not watched.
    /// No call is needed if the descriptor is about to be `closed`, and this was its only event.
    pub(super) fn remove(&mut self, epoll: &OwnedFd, fd: RawFd, table: &mut Table, index: u32, closed: bool) {
        let Some(entry) = table.at(index) else { return };
        let (what, next) = (entry.what, std::mem::replace(&mut entry.next, NONE));
        if self.first == index {
            self.first = next;
        } else {
            let before =
                table.list(self.first).find(|(_, entry)| entry.next == index).map(|(before, _)| before);
            if let Some(before) = before.and_then(|before| table.at(before)) {
                before.next = next;
            }
        }
        let rest = needed(table, self.first);
        if closed && self.is_empty() {
            self.mask = 0;
        } else if mask_of(what) & !rest != 0 {
            let _ = self.set(epoll, fd, if rest == 0 { 0 } else { rest | edge_of(what) });
        }
    }

    /// Finds out anew whether a readiness needs nothing but the call of one callback.
    pub(super) fn find_sole(&mut self, table: &mut Table) {
        let entry = table
            .at(self.first)
            .filter(|entry| entry.next == NONE && entry.is(PERSIST) && entry.timeout == 0);
        self.what = entry.as_ref().map_or(0, |entry| entry.what);
        self.sole = entry.and_then(|entry| entry.callback.clone());
    }

    /// That callback and the bits that have happened, if epoll means this watch.
    #[inline]
    pub(super) fn sole(&self, data: u64, ready: u32) -> Option<(&Rc<dyn Call>, u8)> {
        if self.data != data {
            return None;
        }
        let callback = self.sole.as_ref()?;
        let what = woken(self.what, ready);
        if what == 0 { None } else { Some((callback, what)) }
    }

    /// Gives epoll a mask, if it is not the one that it has.
    fn set(&mut self, epoll: &OwnedFd, fd: RawFd, mask: u32) -> Result<(), c_int> {
        let op = match (self.mask, mask) {
            (old, new) if old == new => return Ok(()),
            (0, _) => libc::EPOLL_CTL_ADD,
            (_, 0) => libc::EPOLL_CTL_DEL,
            _ => libc::EPOLL_CTL_MOD,
        };
        let data = self.data;
        let done = match epoll::control(epoll, op, fd, mask, data) {
            // The number was closed and opened again behind our back, or its file is known from then.
            Err(libc::ENOENT) if op == libc::EPOLL_CTL_MOD => {
                epoll::control(epoll, libc::EPOLL_CTL_ADD, fd, mask, data)
            }
            Err(libc::EEXIST) => epoll::control(epoll, libc::EPOLL_CTL_MOD, fd, mask, data),
            done => done,
        };
        if done.is_ok() || mask == 0 {
            self.mask = mask;
        }
        done
    }

    /// Gives epoll the right mask, if it has refused that before.
    pub(super) fn set_again(&mut self, epoll: &OwnedFd, fd: RawFd, table: &Table) {
        let _ = self.set(epoll, fd, needed(table, self.first) | self.mask & EDGE);
    }

    /// Enters the watch into another epoll descriptor.
    pub(super) fn register(&self, epoll: &OwnedFd, fd: RawFd) -> Result<(), c_int> {
        epoll::control(epoll, libc::EPOLL_CTL_ADD, fd, self.mask, self.data)
    }
}

/// The bits of an event that a readiness means. An error or a hang-up wakes readers and writers: their next call reports
/// it. `ET` comes along with the others.
#[inline]
pub(super) fn woken(what: u8, ready: u32) -> u8 {
    let happened = what & HAPPENED[ready as usize % HAPPENED.len()];
    if c_int::from(happened) == ET { 0 } else { happened }
}

/// Of the bits of a readiness, those that matter are the lowest five.
const HAPPENED: [u8; 32] = {
    let mut table = [0; 32];
    let mut ready = 0;
    while ready < 32 {
        let read = if ready & (IN | HANGUP) == 0 { 0 } else { READ };
        let write = if ready & (OUT | HANGUP) == 0 { 0 } else { WRITE };
        table[ready as usize] = (read | write | ET).to_le_bytes()[0];
        ready += 1;
    }
    table
};
