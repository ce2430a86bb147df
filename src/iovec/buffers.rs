//! The type `IoVec`: buffers that one system call fills or sends, one after another.

use std::collections::TryReserveError;
use std::fmt;
use std::mem::MaybeUninit;
use std::slice;

use libc::ssize_t;

use crate::sys::ffi::{Failed, ret_written};

/// PHP 4's resource "iovec": buffers that one system call fills or sends, one after another.
///
/// An element has a length (C's `iov_len`), which is the number of bytes that a read may put into it. It holds at most so
/// many bytes: none at first, then those of [`socket_iovec_set`](crate::socket_iovec_set) or those that arrived. A write
/// sends the bytes of all elements. There are at most 1024 elements, the kernel's limit.
///
/// An `IoVec` owns its buffers and stores no pointers into them, so it can be sent to another thread. `IoVec::from` an
/// array copies each of its values.
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
#[must_use = "its buffers are dropped with it"]
pub struct IoVec {
    elements: Vec<Element>,
}

struct Element {
    /// How many bytes a read may put here.
    iov_len: usize,
    /// The element's bytes; the capacity is at least `iov_len`.
    data: Vec<u8>,
}

/// The bytes of each element of an [`IoVec`], in order, without a copy: [`IoVec::iter`], and `for bytes in &iovec`.
///
/// ```
/// use php_sockets::*;
///
/// let iovec = IoVec::from(["HEAD", "and the body"]);
/// for bytes in &iovec {
///     println!("{} bytes", bytes.len());
/// }
/// assert_eq!(iovec.iter().next_back(), Some(&b"and the body"[..]));
/// ```
///
/// [Lesson 18](crate::lessons::lesson_18) · [php.net](https://www.php.net/manual/en/book.sockets.php) ·
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
#[derive(Clone)]
#[must_use = "it does nothing by itself"]
pub struct IoVecIter<'a>(slice::Iter<'a, Element>);

impl<'a> Iterator for IoVecIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.next().map(Element::bytes)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'a> DoubleEndedIterator for IoVecIter<'a> {
    fn next_back(&mut self) -> Option<&'a [u8]> {
        self.0.next_back().map(Element::bytes)
    }
}

impl ExactSizeIterator for IoVecIter<'_> {}

impl fmt::Debug for IoVecIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a> IntoIterator for &'a IoVec {
    type Item = &'a [u8];
    type IntoIter = IoVecIter<'a>;

    fn into_iter(self) -> IoVecIter<'a> {
        self.iter()
    }
}

/// The array for the kernel, on the stack of the caller. Only the part that is used gets written.
pub(crate) type Array = [MaybeUninit<libc::iovec>; IoVec::MAX];

pub(crate) const fn array() -> Array {
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

    /// The bytes of the element at `position`, without a copy; `None` if there is no such element.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<&[u8]> {
        self.elements.get(position).map(Element::bytes)
    }

    /// The bytes of each element, in order, without a copy.
    pub fn iter(&self) -> IoVecIter<'_> {
        IoVecIter(self.elements.iter())
    }

    /// Reserves capacity for `more` elements.
    pub(crate) fn reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        self.elements.try_reserve(more)
    }

    /// Adds an empty element of length `iov_len`.
    pub(crate) fn push(&mut self, iov_len: usize) -> Result<(), TryReserveError> {
        let mut data = Vec::new();
        data.try_reserve_exact(iov_len)?;
        self.elements.try_reserve(1)?;
        self.elements.push(Element { iov_len, data });
        Ok(())
    }

    /// Puts a copy of `value` into the element, whose length becomes that of `value`. `None` if there is no such element.
    pub(crate) fn set(&mut self, position: usize, value: &[u8]) -> Option<Result<(), TryReserveError>> {
        let Element { iov_len, data } = self.elements.get_mut(position)?;
        if let Err(error) = data.try_reserve(value.len().saturating_sub(data.len())) {
            return Some(Err(error));
        }
        data.clear();
        data.extend_from_slice(value);
        *iov_len = value.len();
        Some(Ok(()))
    }

    /// Removes the element; those after it move up. `None` if there is no such element.
    pub(crate) fn remove(&mut self, position: usize) -> Option<()> {
        (position < self.len()).then(|| drop(self.elements.remove(position)))
    }

    /// Becomes as many elements as `other` has, of the same lengths and full of zeros. Reuses its own memory.
    pub(crate) fn zero_like(&mut self, other: &IoVec) -> Result<(), TryReserveError> {
        self.elements.truncate(other.len());
        while self.len() < other.len() {
            self.push(0)?;
        }
        for (element, other) in self.elements.iter_mut().zip(&other.elements) {
            element.data.clear();
            element.data.try_reserve_exact(other.iov_len)?;
            element.data.resize(other.iov_len, 0);
            element.iov_len = other.iov_len;
        }
        Ok(())
    }

    /// The array for a call that sends the bytes of the elements. It is valid as long as both borrows are.
    pub(crate) fn for_sending<'a>(&'a self, array: &'a mut Array) -> &'a [libc::iovec] {
        build(
            array,
            self.elements.iter().map(|Element { data, .. }| libc::iovec {
                iov_base: data.as_ptr().cast_mut().cast(),
                iov_len: data.len(),
            }),
        )
    }

    /// The array for a call that fills the elements. It is valid as long as both borrows are.
    pub(crate) fn for_filling<'a>(&'a mut self, array: &'a mut Array) -> &'a mut [libc::iovec] {
        build(
            array,
            self.elements.iter_mut().map(|element| libc::iovec {
                iov_base: element.data.as_mut_ptr().cast(),
                iov_len: element.usable(),
            }),
        )
    }

    /// Sets the elements' lengths to the bytes that have arrived, if a call returned `count`; gives the number of these
    /// bytes. A failure changes nothing.
    ///
    /// # Safety
    ///
    /// The first `count` bytes of the memory in `for_filling`'s array, in its order, have been written; all of it, where
    /// `count` is larger.
    pub(crate) unsafe fn filled(&mut self, count: ssize_t) -> Result<usize, Failed> {
        let all = self.elements.iter().map(Element::usable).sum();
        let written = ret_written(count, all)?;
        let mut rest = written;
        for element in &mut self.elements {
            let part = rest.min(element.usable());
            // SAFETY: `part` is within the capacity, and so many bytes have been written here, as the caller promises.
            unsafe { element.data.set_len(part) };
            rest -= part;
        }
        Ok(written)
    }
}

impl Element {
    fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The length, never more than the capacity, so that no mistake elsewhere becomes a write past the end.
    fn usable(&self) -> usize {
        self.iov_len.min(self.data.capacity())
    }
}

/// Writes the vectors to the beginning of `array`.
fn build(array: &mut Array, vectors: impl Iterator<Item = libc::iovec>) -> &mut [libc::iovec] {
    let mut count = 0;
    for (slot, vector) in array.iter_mut().zip(vectors) {
        slot.write(vector);
        count += 1;
    }

    // SAFETY: the first `count` slots, no more than there are, have just been written; a `MaybeUninit` is laid out as
    // its content, and `array` stays borrowed as long as the slice is used.
    unsafe { slice::from_raw_parts_mut(array.as_mut_ptr().cast(), count) }
}

/// Copies each value; more than 1024 do not compile.
impl<T: AsRef<[u8]>, const N: usize> From<[T; N]> for IoVec {
    fn from(values: [T; N]) -> IoVec {
        const { assert!(N <= IoVec::MAX, "an IoVec has at most 1024 elements") };
        let element = |value: T| {
            let data = value.as_ref().to_vec();
            Element { iov_len: data.len(), data }
        };
        IoVec { elements: values.into_iter().map(element).collect() }
    }
}

impl fmt::Debug for IoVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for Element { iov_len, data } in &self.elements {
            list.entry(&format_args!("{} of {iov_len} bytes", data.len()));
        }
        list.finish()
    }
}
