//! How often a database is queried, and with which capacity.

use std::cell::RefCell;

use super::*;

/// An entry that needs `needed` bytes, and the capacities that were tried.
fn find_one_of(needed: usize) -> (Option<c_int>, Vec<usize>) {
    let tried = RefCell::new(Vec::new());
    let query = |entry: *mut c_int, _: *mut c_char, size, found: *mut *mut c_int| {
        tried.borrow_mut().push(size);
        if size < needed {
            return libc::ERANGE;
        }
        // SAFETY: `find` passes a pointer at an entry of its own.
        unsafe { entry.write(7) };
        // SAFETY: and one at the pointer that it reads.
        unsafe { found.write(entry) };
        0
    };

    // SAFETY: `query` fills the entry in and points at it, or fails.
    let found = unsafe { find(query, |entry| Some(*entry)) };

    (found, tried.into_inner())
}

#[test]
fn an_entry_that_does_not_fit_is_asked_for_with_twice_the_capacity() {
    assert_eq!(find_one_of(0), (Some(7), vec![1024]));
    assert_eq!(find_one_of(1025), (Some(7), vec![1024, 2048]));
    assert_eq!(find_one_of(5000), (Some(7), vec![1024, 2048, 4096, 8192]));
}

#[test]
fn an_entry_of_more_than_a_mebibyte_is_none() {
    let doubled: Vec<usize> = (10..=20).map(|power| 1 << power).collect();

    assert_eq!(find_one_of(1 << 20), (Some(7), doubled.clone()));
    assert_eq!(find_one_of((1 << 20) + 1), (None, doubled));
}

#[test]
fn another_failure_and_a_null_are_none_at_once() {
    for status in [libc::ENOENT, libc::EMFILE, libc::ENOMEM, -1, 0] {
        let queries = RefCell::new(0);
        let query = |_: *mut c_int, _: *mut c_char, _, _: *mut *mut c_int| {
            *queries.borrow_mut() += 1;
            status
        };

        // SAFETY: `query` leaves the null of `find` where it is.
        let found = unsafe { find(query, |entry| Some(*entry)) };

        assert_eq!((found, queries.into_inner()), (None, 1), "{status}");
    }
}
