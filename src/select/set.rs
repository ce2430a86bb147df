//! C's `fd_set`, and a socket's place in it.

use libc::{FD_SETSIZE, fd_set};

use crate::socket::Socket;

/// A set of descriptors below 1024: C's `fd_set`. [`socket_select`](crate::socket_select) passes it to a
/// [`SocketArray`](crate::SocketArray).
#[derive(Debug)]
pub struct FdSet {
    /// One bit a descriptor, as C lays them out.
    words: [u64; WORDS],
    /// One more than the highest descriptor that was marked; 0 if none was. It may be too high for the set.
    pub(super) nfds: u32,
    /// The result of `select`: the number of bits that it left, in all sets together.
    pub(super) count: usize,
}

const BITS: usize = u64::BITS as usize;
const WORDS: usize = FD_SETSIZE / BITS;
#[allow(clippy::cast_possible_truncation, reason = "it is 1024")]
pub(super) const MOST: u32 = FD_SETSIZE as u32;
const _: () = assert!(size_of::<[u64; WORDS]>() == size_of::<fd_set>());

impl FdSet {
    pub(super) const EMPTY: FdSet = FdSet { words: [0; WORDS], nfds: 0, count: 0 };

    pub(super) fn as_mut_ptr(&mut self) -> *mut fd_set {
        (&raw mut self.words).cast()
    }

    /// Adds sockets. Neighbours in a list mostly share a word, so their bits are collected before they are stored.
    #[inline]
    pub(super) fn mark<'a>(&mut self, mut sockets: impl Iterator<Item = &'a Socket>) {
        let Some(socket) = sockets.next() else { return };
        let (mut first, mut bits) = place(socket);
        sockets.for_each(|socket| {
            let offset = number(socket).wrapping_sub(first);
            if offset < BITS {
                bits |= 1 << offset;
            } else {
                self.mark_word(first, bits);
                (first, bits) = place(socket);
            }
        });
        self.mark_word(first, bits);
    }

    /// Adds bits, at least one, of the word that begins with the descriptor `first`. A descriptor of 1024 or more marks a
    /// wrong bit. Then `nfds` is above 1024, and `socket_select` refuses the set.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "a descriptor has 32 bits")]
    fn mark_word(&mut self, first: usize, bits: u64) {
        self.words[first / BITS % WORDS] |= bits;
        // There is a highest bit. `| 1` shows the compiler that it need not check for zero.
        self.nfds = self.nfds.max(first as u32 + (bits | 1).ilog2() + 1);
    }

    /// Whether a socket is in the set.
    #[inline]
    pub(super) fn has(&self, socket: &Socket) -> bool {
        let (first, bit) = place(socket);
        self.words[first / BITS % WORDS] & bit != 0
    }

    /// Retains the elements of a list whose sockets are in the set. One ready socket is the usual case: to compare numbers
    /// then costs less than to test a bit for each socket.
    #[inline]
    pub(super) fn keep<T>(&self, list: &mut Vec<T>, socket: impl Fn(&T) -> &Socket) {
        if self.count == 1 {
            let only = self.first();
            list.retain(|element| number(socket(element)) == only);
        } else {
            list.retain(|element| self.has(socket(element)));
        }
    }

    /// The lowest descriptor in the set, which is the number of zeros before its bit; 1024 if the set is empty.
    #[inline]
    fn first(&self) -> usize {
        let mut zeros = 0;
        for word in &self.words {
            zeros += word.trailing_zeros();
            if *word != 0 {
                break;
            }
        }
        zeros as usize
    }
}

/// The descriptor that the word of a socket begins with, and the socket's bit there.
#[inline]
fn place(socket: &Socket) -> (usize, u64) {
    let number = number(socket);
    (number - number % BITS, 1 << (number % BITS))
}

#[inline]
#[allow(clippy::cast_sign_loss, reason = "an open descriptor is not negative")]
fn number(socket: &Socket) -> usize {
    socket.fd() as u32 as usize
}
