//! Every error of the vectors and the messages.

use std::os::fd::AsFd;

use php_sockets::*;

use crate::common;
use crate::errors::Oracle::{Injected, Kernel, Ours, Php, Since};
use crate::errors::{NOWHERE, Older, Outcome, cases, inet, inet6, unix};

/// More bytes than there is a second place for: half of the address space, by name only.
struct Endless {
    start: *mut libc::c_void,
    len: usize,
}

impl Endless {
    fn new() -> Endless {
        let mut len = 1 << 47;
        loop {
            // SAFETY: a new mapping, at an address that the kernel chooses; it takes no memory until it is touched.
            let start = unsafe {
                libc::mmap(
                    std::ptr::null_mut(),
                    len,
                    libc::PROT_READ,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                    -1,
                    0,
                )
            };
            if start != libc::MAP_FAILED {
                return Endless { start, len };
            }
            len /= 2;
            assert!(len > 1 << 40, "half of the address space");
        }
    }
}

impl AsRef<[u8]> for Endless {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping has so many bytes, all of them zeros, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own, and nothing borrows it any more.
        unsafe { libc::munmap(self.start, self.len) };
    }
}

/// A message to `name` over `socket`, which fails.
fn to(socket: &Socket, name: &MessageName) -> Outcome {
    let result = socket_sendmsg(socket, &Message::new().name(name), 0);
    Outcome::on(socket, result)
}

/// A message with these control messages, which fails.
fn with(control: &[ControlMessage<'_>]) -> Outcome {
    let socket = unix(SOCK_DGRAM);
    let result = socket_sendmsg(&socket, &Message::new().control(control), 0);
    Outcome::on(&socket, result)
}

/// A receipt that fails.
fn receipt(socket: &Socket, flags: i32) -> Outcome {
    let mut message = Received::new(socket_iovec_alloc(&[10]).unwrap(), 100).unwrap();
    let result = socket_recvmsg(socket, &mut message, flags);
    Outcome::on(socket, result)
}

/// The beginning of what PHP says of a path.
macro_rules! unconverted {
    () => {
        "socket_sendmsg(): error converting user data (path: msghdr > name > path): the path is "
    };
}

cases! {
    sendmsg_keeps_no_memory: Ours(
        ErrorKind::Value, "socket_sendmsg(): Argument #3 ($flags) must not contain MSG_ZEROCOPY"
    ) => || Outcome::of(socket_sendmsg(&inet(SOCK_DGRAM), &Message::new(), MSG_ZEROCOPY));
    iovec_alloc_of_too_many: Ours(
        ErrorKind::Value, "socket_iovec_alloc(): Argument #2 ($lens) must have at most 1024 elements"
    ) => || Outcome::of(socket_iovec_alloc(&[1; 1025]));
    iovec_alloc_of_too_much: Ours(
        ErrorKind::Warning, "socket_iovec_alloc(): there is no memory for so many bytes"
    ) => || Outcome::of(socket_iovec_alloc(&[1, usize::MAX]));
    iovec_add_to_a_full_one: Ours(
        ErrorKind::Value, "socket_iovec_add(): Argument #1 ($iovec) must have less than 1024 elements"
    ) => || Outcome::of(socket_iovec_add(&mut socket_iovec_alloc(&[0; 1024]).unwrap(), 1));
    iovec_add_of_too_much: Ours(
        ErrorKind::Warning, "socket_iovec_add(): there is no memory for so many bytes"
    ) => || Outcome::of(socket_iovec_add(&mut socket_iovec_alloc(&[]).unwrap(), usize::MAX));
    iovec_set_outside: Ours(
        ErrorKind::Warning, "socket_iovec_set(): can't access a vector position outside of the vector array bounds"
    ) => || Outcome::of(socket_iovec_set(&mut socket_iovec_alloc(&[1]).unwrap(), 1, "x"));
    iovec_set_of_too_much: Ours(
        ErrorKind::Warning, "socket_iovec_set(): there is no memory for so many bytes"
    ) => || Outcome::of(socket_iovec_set(&mut socket_iovec_alloc(&[1]).unwrap(), 0, Endless::new()));
    iovec_fetch_outside: Ours(
        ErrorKind::Warning,
        "socket_iovec_fetch(): can't access a vector position past the amount of vectors set in the array"
    ) => || Outcome::of(socket_iovec_fetch(&socket_iovec_alloc(&[1]).unwrap(), 1));
    iovec_fetch_of_too_much: Ours(
        ErrorKind::Warning, "socket_iovec_fetch(): there is no memory for so many bytes"
    ) => || {
        // More than the part of the heap that a thread has without asking the kernel again.
        let mut iovec = socket_iovec_alloc(&[65 << 20]).unwrap();
        let zeros = Socket::from(std::os::fd::OwnedFd::from(std::fs::File::open("/dev/zero").unwrap()));
        assert_eq!(socket_readv(&zeros, &mut iovec), Ok(65 << 20));
        // `brk` returns the end of the heap: 0 is too low.
        common::failing(libc::SYS_brk, 0, || {
            common::failing(libc::SYS_mmap, libc::ENOMEM, || Outcome::of(socket_iovec_fetch(&iovec, 0)))
        })
    };
    iovec_delete_outside: Ours(
        ErrorKind::Warning, "socket_iovec_delete(): can't delete an IO vector that is out of array bounds"
    ) => || Outcome::of(socket_iovec_delete(&mut socket_iovec_alloc(&[1]).unwrap(), 1));
    readv_without_a_peer: Kernel(
        SOCKET_ENOTCONN, "socket_readv(): unable to read from socket [107]: Transport endpoint is not connected"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_readv(&socket, &mut socket_iovec_alloc(&[1]).unwrap());
        Outcome::on(&socket, result)
    };
    writev_without_a_peer: Kernel(
        SOCKET_EPIPE, "socket_writev(): Unable to write to socket [32]: Broken pipe"
    ) => || {
        let socket = inet(SOCK_STREAM);
        let result = socket_writev(&socket, &IoVec::from(["x"]));
        Outcome::on(&socket, result)
    };

    // [V] 4.1: Failure: Record `Error in sendmsg` (EAGAIN silent).
    sendmsg_to_nobody: Php("$s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_sendmsg($s, [])") => || {
        let socket = inet(SOCK_DGRAM);
        let result = socket_sendmsg(&socket, &Message::new(), 0);
        Outcome::on(&socket, result)
    };
    sendmsg_that_does_not_wait: Injected(
        "sendmsg:error=EAGAIN", "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, [])"
    ) => || {
        let socket = unix(SOCK_DGRAM);
        let result = common::failing(libc::SYS_sendmsg, SOCKET_EAGAIN, || {
            let result = socket_sendmsg(&socket, &Message::new(), 0);
            (result, socket_last_error(None))
        });
        Outcome { last: result.1, ..Outcome::on(&socket, result.0) }
    };
    sendmsg_of_too_many_descriptors: Php(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); $s = $p[0]; socket_sendmsg($s, ['control' => [
            ['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => array_fill(0, 254, STDIN)]]])"
    ) => || {
        let (socket, _other) = common::pair(SOCK_DGRAM);
        let stdin = std::io::stdin();
        let result = socket_sendmsg(
            &socket,
            &Message::new().control(&[ControlMessage::Rights(&[stdin.as_fd(); 254])]),
            0,
        );
        Outcome::on(&socket, result)
    };
    sendmsg_as_another_process: Php(
        "socket_create_pair(AF_UNIX, SOCK_DGRAM, 0, $p); $s = $p[0]; socket_sendmsg($s, ['control' => [['level' =>
            SOL_SOCKET, 'type' => SCM_CREDENTIALS, 'data' => ['pid' => 99999999, 'uid' => 0, 'gid' => 0]]]])"
    ) => || {
        let (socket, _other) = common::pair(SOCK_DGRAM);
        let nobody = ControlMessage::Credentials(Credentials::new(99_999_999, 0, 0));
        let result = socket_sendmsg(&socket, &Message::new().control(&[nobody]), 0);
        Outcome::on(&socket, result)
    };

    // [V] 4.3: Wrong family.
    sendmsg_to_ipv6_from_ipv4: Php(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0);
         socket_sendmsg($s, ['name' => ['family' => AF_INET6, 'addr' => '::1', 'port' => 9]])"
    ) => || to(&inet(SOCK_DGRAM), &MessageName::inet6("::1", 9, 0, 0));
    sendmsg_to_ipv6_from_unix: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0);
         socket_sendmsg($s, ['name' => ['family' => AF_INET6, 'addr' => '::1', 'port' => 9]])"
    ) => || to(&unix(SOCK_DGRAM), &MessageName::inet6("::1", 9, 0, 0));
    sendmsg_to_ipv4_from_unix: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0);
         socket_sendmsg($s, ['name' => ['family' => AF_INET, 'addr' => '127.0.0.1', 'port' => 9]])"
    ) => || to(&unix(SOCK_DGRAM), &MessageName::inet("127.0.0.1", 9));
    sendmsg_to_unix_from_ipv4: Php(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0);
         socket_sendmsg($s, ['name' => ['family' => AF_UNIX, 'path' => 'x']])"
    ) => || to(&inet(SOCK_DGRAM), &MessageName::unix("x"));
    sendmsg_to_unix_from_ipv6: Php(
        "$s = socket_create(AF_INET6, SOCK_DGRAM, 0);
         socket_sendmsg($s, ['name' => ['family' => AF_UNIX, 'path' => 'x']])"
    ) => || to(&inet6(SOCK_DGRAM), &MessageName::unix("x"));
    sendmsg_to_an_empty_path: Since(
        80400,
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['path' => '']])",
        (ErrorKind::Warning, concat!(unconverted!(), "must not be empty")),
        Older::warned(concat!(unconverted!(), "cannot be empty"), 0)
    ) => || to(&unix(SOCK_DGRAM), &MessageName::unix(""));
    sendmsg_to_a_long_path: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['path' => str_repeat('x', 108)]])"
    ) => || to(&unix(SOCK_DGRAM), &MessageName::unix("x".repeat(108)));
    sendmsg_to_a_path_that_is_long_behind_a_nul: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0);
         socket_sendmsg($s, ['name' => ['path' => \"x\\0\" . str_repeat('x', 106)]])"
    ) => || to(&unix(SOCK_DGRAM), &MessageName::unix(format!("x\0{}", "x".repeat(106))));
    sendmsg_to_the_longest_path: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['path' => str_repeat('x', 107)]])"
    ) => || to(&unix(SOCK_DGRAM), &MessageName::unix("x".repeat(107)));
    sendmsg_to_an_abstract_name_that_nobody_has: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['path' => \"\\0nobody has this\"]])"
    ) => || to(&unix(SOCK_DGRAM), &MessageName::unix("\0nobody has this"));
    sendmsg_to_the_empty_abstract_name: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['path' => \"\\0\"]])"
    ) => || to(&unix(SOCK_DGRAM), &MessageName::unix("\0"));
    // [V] 4.4: Address failures print two warnings; ours is the first, which has the code.
    sendmsg_to_an_unknown_host: Php(
        "set_error_handler(function ($l, $m) use (&$w) { $w ??= $m; return true; });
         $s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['port' => 9, 'addr' =>
            'a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid']])"
    ) => || to(&inet(SOCK_DGRAM), &MessageName::inet(NOWHERE, 9));
    sendmsg_to_an_unknown_ipv6_host: Php(
        "set_error_handler(function ($l, $m) use (&$w) { $w ??= $m; return true; });
         $s = socket_create(AF_INET6, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['port' => 9, 'addr' =>
            'a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid']])"
    ) => || to(&inet6(SOCK_DGRAM), &MessageName::inet6(NOWHERE, 9, 0, 0));
    sendmsg_to_no_host: Php(
        "set_error_handler(function ($l, $m) use (&$w) { $w ??= $m; return true; });
         $s = socket_create(AF_INET, SOCK_DGRAM, 0); socket_sendmsg($s, ['name' => ['port' => 9, 'addr' => '']])"
    ) => || to(&inet(SOCK_DGRAM), &MessageName::inet("", 9));
    sendmsg_refuses_a_nul: Ours(
        ErrorKind::Value,
        "socket_sendmsg(): error converting user data (path: msghdr > name > addr): must not contain any null bytes"
    ) => || to(&inet(SOCK_DGRAM), &MessageName::inet("127.0.0.1\0", 9));
    // [V] 4.4: Control elements are numbered from #0 on input.
    sendmsg_of_no_descriptors: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0);
         socket_sendmsg($s, ['control' => [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => []]]])"
    ) => || with(&[ControlMessage::Rights(&[])]);
    sendmsg_of_no_descriptors_behind_others: Php(
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, ['control' => [
            ['level' => IPPROTO_IPV6, 'type' => IPV6_TCLASS, 'data' => 1],
            ['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => []]]])"
    ) => || with(&[ControlMessage::Tclass(1), ControlMessage::Rights(&[])]);
    sendmsg_looks_at_the_name_first: Since(
        80400,
        "$s = socket_create(AF_UNIX, SOCK_DGRAM, 0); socket_sendmsg($s, [
            'control' => [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => []]], 'name' => ['path' => '']])",
        (ErrorKind::Warning, concat!(unconverted!(), "must not be empty")),
        Older::warned(concat!(unconverted!(), "cannot be empty"), 0)
    ) => || {
        let socket = unix(SOCK_DGRAM);
        let (name, control) = (MessageName::unix(""), [ControlMessage::Rights(&[])]);
        let result = socket_sendmsg(&socket, &Message::new().name(&name).control(&control), 0);
        Outcome::on(&socket, result)
    };
    sendmsg_of_too_much: Ours(
        ErrorKind::Warning,
        "socket_sendmsg(): error converting user data (path: msghdr > control): \
         the control messages take more than 4096 bytes"
    ) => || with(&[ControlMessage::HopLimit(1); 171]);

    // [V] 4.2: Syscall failure: always a warning, even EAGAIN, global slot only.
    recvmsg_of_nothing: Php(
        "$s = socket_create(AF_INET, SOCK_DGRAM, 0); $m = ['controllen' => 10]; socket_recvmsg($s, $m, MSG_DONTWAIT)"
    ) => || receipt(&inet(SOCK_DGRAM), MSG_DONTWAIT);
    recvmsg_without_a_peer: Php(
        "$s = socket_create(AF_INET, SOCK_STREAM, 0); $m = ['controllen' => 10]; socket_recvmsg($s, $m)"
    ) => || receipt(&inet(SOCK_STREAM), 0);
    recvmsg_without_space_for_control: Php(
        "$q = socket_create(AF_INET, SOCK_DGRAM, 0); $m = ['controllen' => 0]; socket_recvmsg($q, $m)"
    ) => || Outcome::of(Received::new(socket_iovec_alloc(&[10]).unwrap(), 0));
    recvmsg_with_too_much_space: Ours(
        ErrorKind::Warning, "socket_recvmsg(): there is no memory for so many bytes"
    ) => || Outcome::of(Received::new(socket_iovec_alloc(&[10]).unwrap(), usize::MAX));

    // [V] 4.6: unknown pairs and numbers out of range.
    cmsg_space_of_an_unknown_pair: Php("socket_cmsg_space(0, 8, 1)") => || Outcome::of(socket_cmsg_space(0, 8, 1));
    cmsg_space_of_a_negative_level: Php("socket_cmsg_space(-1, 65535)") =>
        || Outcome::of(socket_cmsg_space(-1, 65535, 0));
    cmsg_space_of_a_large_type: Ours(
        ErrorKind::Value, "Pair level -1 and/or this type is not supported"
    ) => || Outcome::of(socket_cmsg_space(-1, -1, 0));
    cmsg_space_of_too_many: Php("socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 2147483648)") =>
        || Outcome::of(socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 2_147_483_648));
}
