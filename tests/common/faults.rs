//! System calls of this process that fail, by a seccomp filter, or are interrupted by a signal.

use std::ffi::c_int;
use std::time::Duration;

/// Runs `act` in a thread where the system call `number` fails with `errno`, by a seccomp filter of that thread.
pub(crate) fn failing<T: Send>(number: libc::c_long, errno: c_int, act: impl FnOnce() -> T + Send) -> T {
    failing_with(number, None, errno, act)
}

/// The same for what must be made in the thread before the call begins to fail.
pub(crate) fn failing_later<B, T: Send>(
    number: libc::c_long,
    errno: c_int,
    prepare: impl FnOnce() -> B + Send,
    act: impl FnOnce(B) -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let prepared = prepare();
                let number = u32::try_from(number).expect("a system call");
                deny(number, None, u32::try_from(errno).expect("an errno"));
                act(prepared)
            })
            .join()
            .expect("the thread ends")
    })
}

/// As `failing`, for those calls alone whose second argument is this number, if one is given.
pub(crate) fn failing_with<T: Send>(
    number: libc::c_long,
    second: Option<u32>,
    errno: c_int,
    act: impl FnOnce() -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let number = u32::try_from(number).expect("a system call");
                deny(number, second, u32::try_from(errno).expect("an errno"));
                act()
            })
            .join()
            .expect("the thread ends")
    })
}

#[allow(clippy::cast_possible_truncation, reason = "the numbers of BPF instructions have 16 bits")]
fn deny(number: u32, second: Option<u32>, errno: u32) {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    // Where the low half of the second argument lies in `seccomp_data`.
    const SECOND: u32 = 24 + if cfg!(target_endian = "big") { 4 } else { 0 };
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        step(LOAD, 0, 0, 0), // the system call's number
        step(EQUAL, 0, 3, number),
        step(LOAD, 0, 0, SECOND),
        step(EQUAL, 0, u8::from(second.is_some()), second.unwrap_or(0)),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | errno),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 6, filter: filter.as_mut_ptr() };
    // SAFETY: the call takes numbers.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
    // SAFETY: `program` and its filter outlive the call, which copies them.
    let status = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(status, 0, "seccomp filters are to be had");
}

/// Runs `act` in a thread and interrupts that thread with a signal, again and again, until it comes back.
pub(crate) fn interrupted<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    use std::sync::atomic::{AtomicBool, Ordering};

    extern "C" fn nothing(_: c_int) {}
    let handler: extern "C" fn(c_int) = nothing;
    // SAFETY: all zeros is a valid `sigaction`, without SA_RESTART: a system call ends with EINTR.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    // SAFETY: `action` outlives the call; the handler does nothing.
    assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) }, 0);

    let done = AtomicBool::new(false);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // SAFETY: the call takes and changes nothing.
            tell.send(unsafe { libc::pthread_self() }).expect("the other thread listens");
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
            done.store(true, Ordering::SeqCst);
            // The thread stays until it is signalled no more.
            while done.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let thread = told.recv().expect("the thread tells who it is");
        while !done.load(Ordering::SeqCst) {
            // SAFETY: the thread is alive: it waits for `done` to be taken back.
            unsafe { libc::pthread_kill(thread, libc::SIGUSR1) };
            std::thread::sleep(Duration::from_millis(1));
        }
        done.store(false, Ordering::SeqCst);
        worker.join().expect("the thread ends")
    })
}
