//! Buffers that one system call fills or sends, one after another.

use std::collections::TryReserveError;
use std::fmt;
use std::mem::MaybeUninit;
use std::slice;

use libc::ssize_t;

use crate::sys::ffi::{Failed, ret_written};

/// PHP 4's resource "iovec": buffers that one system call fills or sends, one after another.
///
/// An element has a room, the number of bytes that a read may put into it, and holds bytes, never more than the room:
/// none at first, then what [`socket_iovec_set`](crate::socket_iovec_set) gave it or what arrived. A write sends what
/// the elements hold. There are at most 1024 elements, the kernel's limit.
///
/// An `IoVec` owns its buffers and stores no pointers into them, so it can be sent to another thread. Made from an
/// array it holds a copy of each of its values.
///
/// ```
/// use php_sockets::*;
///
/// let (here, there) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
/// socket_writev(&here, &IoVec::from(["HEAD", "and the body"]))?;
///
/// let mut iovec = socket_iovec_alloc(&[4, 100])?;
/// assert_eq!(socket_readv(&there, &mut iovec)?, 16);
/// assert_eq!(iovec.get(0), Some(&b"HEAD"[..]));
/// assert_eq!(iovec.get(1), Some(&b"and the body"[..]));
/// assert_eq!(iovec.len(), 2);
/// # Ok::<(), Error>(())
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/manual/en/book.sockets.php) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
#[derive(Default)]
#[must_use = "its buffers go with it"]
pub struct IoVec {
    elements: Vec<Element>,
}

struct Element {
    /// How many bytes a read may put here.
    room: usize,
    /// What the element holds; its capacity is at least `room`.
    data: Vec<u8>,
}

/// Where the array that the kernel takes is built: on the stack of the caller, and only as far as it is needed.
pub(crate) type Room = [MaybeUninit<libc::iovec>; IoVec::MAX];

pub(crate) const fn room() -> Room {
    [const { MaybeUninit::uninit() }; IoVec::MAX]
}

impl IoVec {
    /// The most elements that there can be: the kernel's `IOV_MAX`.
    pub const MAX: usize = 1024;

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// What the element at `position` holds, without copying it; `None` if there is no such element.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<&[u8]> {
        self.elements.get(position).map(|element| element.data.as_slice())
    }

    /// What the elements hold, one after another, without copying it.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.elements.iter().map(|element| element.data.as_slice())
    }

    /// Makes room in the list for `more` elements.
    pub(crate) fn reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        self.elements.try_reserve(more)
    }

    /// An empty element with room for `room` bytes, at the end.
    pub(crate) fn push(&mut self, room: usize) -> Result<(), TryReserveError> {
        let mut data = Vec::new();
        data.try_reserve_exact(room)?;
        self.elements.try_reserve(1)?;
        self.elements.push(Element { room, data });
        Ok(())
    }

    /// Makes the element hold `value` and have just the room for it. There is no `None` in it if `position` exists.
    pub(crate) fn set(&mut self, position: usize, value: &[u8]) -> Option<Result<(), TryReserveError>> {
        let Element { room, data } = self.elements.get_mut(position)?;
        if let Err(error) = data.try_reserve(value.len().saturating_sub(data.len())) {
            return Some(Err(error));
        }
        data.clear();
        data.extend_from_slice(value);
        *room = value.len();
        Some(Ok(()))
    }

    /// Takes the element out; those behind it move up. `None` if there is no such element.
    pub(crate) fn remove(&mut self, position: usize) -> Option<()> {
        (position < self.len()).then(|| drop(self.elements.remove(position)))
    }

    /// Takes on the rooms of `other`, every byte of them a zero. What is large enough is used again.
    pub(crate) fn blank(&mut self, other: &IoVec) -> Result<(), TryReserveError> {
        self.elements.truncate(other.len());
        while self.len() < other.len() {
            self.push(0)?;
        }
        for (element, other) in self.elements.iter_mut().zip(&other.elements) {
            element.data.clear();
            element.data.try_reserve_exact(other.room)?;
            element.data.resize(other.room, 0);
            element.room = other.room;
        }
        Ok(())
    }

    /// The array for a call that sends what the elements hold. It is good as long as both borrows are.
    pub(crate) fn for_sending<'a>(&'a self, room: &'a mut Room) -> &'a [libc::iovec] {
        build(
            room,
            self.elements.iter().map(|Element { data, .. }| libc::iovec {
                iov_base: data.as_ptr().cast_mut().cast(),
                iov_len: data.len(),
            }),
        )
    }

    /// The array for a call that fills the elements' rooms. It is good as long as both borrows are.
    pub(crate) fn for_filling<'a>(&'a mut self, room: &'a mut Room) -> &'a mut [libc::iovec] {
        build(
            room,
            self.elements.iter_mut().map(|element| libc::iovec {
                iov_base: element.data.as_mut_ptr().cast(),
                iov_len: element.usable(),
            }),
        )
    }

    /// Lets the elements hold what has arrived, if a call returned `count`; gives how many bytes that is. `None` is a
    /// failure, and changes nothing.
    ///
    /// # Safety
    ///
    /// The first `count` bytes of the rooms that `for_filling` gave, in their order, have been written; where `count`
    /// is more than all the rooms have, all of them.
    pub(crate) unsafe fn filled(&mut self, count: ssize_t) -> Result<usize, Failed> {
        let all = self.elements.iter().map(Element::usable).sum();
        let written = ret_written(count, all)?;
        let mut rest = written;
        for element in &mut self.elements {
            let part = rest.min(element.usable());
            // SAFETY: `part` is within the capacity, and the caller vouches that so many bytes have been written here.
            unsafe { element.data.set_len(part) };
            rest -= part;
        }
        Ok(written)
    }
}

impl Element {
    /// The room, which is never more than the capacity; so no mistake elsewhere becomes a write past the end.
    fn usable(&self) -> usize {
        self.room.min(self.data.capacity())
    }
}

/// Writes the vectors to the beginning of `room`.
fn build(room: &mut Room, vectors: impl Iterator<Item = libc::iovec>) -> &mut [libc::iovec] {
    let mut count = 0;
    for (slot, vector) in room.iter_mut().zip(vectors) {
        slot.write(vector);
        count += 1;
    }

    // SAFETY: the first `count` slots, no more than there are, have just been written; a `MaybeUninit` is laid out as
    // what it holds, and `room` stays borrowed as long as the slice is used.
    unsafe { slice::from_raw_parts_mut(room.as_mut_ptr().cast(), count) }
}

/// An `IoVec` that holds a copy of each value; more than 1024 do not compile.
impl<T: AsRef<[u8]>, const N: usize> From<[T; N]> for IoVec {
    fn from(values: [T; N]) -> IoVec {
        const { assert!(N <= IoVec::MAX, "an IoVec has at most 1024 elements") };
        let element = |value: T| {
            let data = value.as_ref().to_vec();
            Element { room: data.len(), data }
        };
        IoVec { elements: values.into_iter().map(element).collect() }
    }
}

impl fmt::Debug for IoVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for Element { room, data } in &self.elements {
            list.entry(&format_args!("{} of {room} bytes", data.len()));
        }
        list.finish()
    }
}
