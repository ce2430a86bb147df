//! This process: its threads, its copies, its descriptors.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does something with each item on so many threads; gives the results in the order of the items.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    act: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = || {
        let numbered = || {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, act(item)))
        };
        std::iter::from_fn(numbered).collect::<BTreeMap<usize, R>>()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(results)).collect();
        let all = threads.into_iter().flat_map(|thread| thread.join().expect("no panic"));
        all.collect::<BTreeMap<usize, R>>().into_values().collect()
    })
}

/// How often this thread has gone to sleep.
pub(crate) fn sleeps() -> i64 {
    // SAFETY: all zeros is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` outlives the call, which writes it.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
    usage.ru_nvcsw
}

/// Runs `act` in a child process, where nothing else opens or closes descriptors; gives its result, 255 if it panics.
pub(crate) fn in_child(act: impl FnOnce() -> usize) -> usize {
    // SAFETY: the child goes on with this thread alone; it runs `act` and ends without returning.
    match unsafe { libc::fork() } {
        0 => {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)).unwrap_or(255);
            // SAFETY: the call ends the process.
            unsafe { libc::_exit(i32::try_from(result).unwrap_or(255)) }
        }
        child => {
            assert_ne!(child, -1, "a child process");
            let mut status = 0;
            // SAFETY: `child` is ours and not waited for yet; `status` outlives the call, which writes it.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert!(libc::WIFEXITED(status), "a signal ended the child: {}", libc::WTERMSIG(status));
            usize::try_from(libc::WEXITSTATUS(status)).expect("8 bits")
        }
    }
}

/// Lets this process open as many descriptors as it may.
pub(crate) fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` outlives the call, which writes it.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` outlives the call, which reads it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
}

/// How many descriptors `act` leaves open: it runs in a thread with a table of its own.
pub(crate) fn descriptors_left(act: impl FnOnce() + Send) -> usize {
    let count = || std::fs::read_dir("/proc/thread-self/fd").expect("the table").count();
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                // SAFETY: the call takes a number. The thread's own table begins as a copy and ends with the thread.
                assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
                let before = count();
                act();
                count() - before
            })
            .join()
            .expect("the thread ends")
    })
}
