//! A network of one's own: only loopback, and every port free.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Error, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Lets a command run in a network of its own, whose only addresses are those of loopback, and whose every port is free.
/// Needs root, or a machine that lets its users make user namespaces. `setup` is PHP code that runs there first.
pub(crate) fn in_own_network(setup: &str, twin: &[OsString], arguments: &[&str]) -> Command {
    let code = format!(
        "set_error_handler(fn ($level, $message) => throw new ErrorException($message)); {setup};
         passthru(implode(' ', array_map('escapeshellarg', array_slice($argv, 1))), $status); exit($status);"
    );
    let mut command = super::limited(super::php_program());
    command.args(["-d", "display_errors=stderr", "-r", &code, "--"]).args(twin).args(arguments);
    // SAFETY: the call takes and changes nothing.
    let user = unsafe { libc::getuid() };
    let map = format!("0 {user} 1\n");
    // SAFETY: the closure runs in a child process of one thread, before it executes the program; it makes system calls
    // and nothing else.
    unsafe { command.pre_exec(move || enter_own_network(map.as_bytes())) };
    command
}

/// Brings this process, which has one thread, into a network of its own.
pub(crate) fn leave_for_own_network() {
    // SAFETY: the call takes and changes nothing.
    let user = unsafe { libc::getuid() };
    enter_own_network(format!("0 {user} 1\n").as_bytes())
        .expect("root, or the right to make user namespaces");
}

/// `map` makes a user without rights the root of a user namespace, and so of the network that belongs to it.
fn enter_own_network(map: &[u8]) -> std::io::Result<()> {
    let done = |status: i32| if status == -1 { Err(Error::last_os_error()) } else { Ok(status) };
    // SAFETY: the call takes numbers.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } == -1 {
        // SAFETY: as above.
        done(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) })?;
        File::options().write(true).open("/proc/self/uid_map")?.write_all(map)?;
    }
    // SAFETY: the call takes numbers.
    let socket = done(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: all zeros is a valid `ifreq`.
    let mut loopback: libc::ifreq = unsafe { std::mem::zeroed() };
    loopback.ifr_name[0] = b'l'.try_into().unwrap_or_default();
    loopback.ifr_name[1] = b'o'.try_into().unwrap_or_default();
    loopback.ifr_ifru.ifru_flags = libc::IFF_UP.try_into().unwrap_or_default();
    // SAFETY: `loopback` outlives the call, which reads it.
    done(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const loopback) })?;
    // SAFETY: the socket was just opened, and nothing else owns it.
    done(unsafe { libc::close(socket) })?;
    Ok(())
}
