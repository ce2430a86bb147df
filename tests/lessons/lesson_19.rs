//! Lesson 19 beyond what it prints.

use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;

use php_sockets::*;

use crate::common;
use crate::compiler::refused_as_its_readme_says;
use crate::lesson_17::keeps_its_files_in_a_folder_of_its_own;
use crate::stage::twin::{text_of, twins_of};

/// A message with a descriptor beside one byte.
fn send_descriptor(socket: &Socket) {
    let file = std::fs::File::open("/dev/null").expect("a file");
    let descriptors = [file.as_fd()];
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["x"]);
    assert_eq!(socket_sendmsg(socket, &Message::new().iov(&iov).control(&control), 0), Ok(1));
}

#[test]
fn a_descriptor_that_nobody_takes_is_closed_with_the_next_message() {
    let left = common::descriptors_left(|| {
        let (here, there) = common::pair(SOCK_STREAM);
        let space = socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1).expect("a size");
        let mut message = Received::new(socket_iovec_alloc(&[1]).expect("memory"), space).expect("memory");
        for _ in 0..10 {
            send_descriptor(&here);
            assert_eq!(socket_recvmsg(&there, &mut message, 0), Ok(1));
        }
    });

    assert_eq!(left, 0);
}

#[test]
fn without_space_the_descriptor_is_gone_and_the_flags_say_so() {
    let (here, there) = common::pair(SOCK_STREAM);
    send_descriptor(&here);

    // Too little for the header of a control message and a descriptor behind it.
    let mut message = Received::new(socket_iovec_alloc(&[1]).expect("memory"), 8).expect("memory");

    assert_eq!(socket_recvmsg(&there, &mut message, 0), Ok(1));
    assert_eq!(message.flags() & MSG_CTRUNC, MSG_CTRUNC);
    assert!(message.take_rights().is_empty());
}

#[test]
fn only_root_may_claim_to_be_another() {
    let code = common::in_child(|| {
        // SAFETY: the call takes a number. Others than root cannot change their user, and need not.
        unsafe { libc::setuid(65534) };
        let (here, there) = common::pair(SOCK_STREAM);
        socket_set_option(&there, SOL_SOCKET, SO_PASSCRED, 1).expect("an option");
        let control = [ControlMessage::Credentials(Credentials::new(1, 0, 0))];
        let iov = IoVec::from(["x"]);
        let error = socket_sendmsg(&here, &Message::new().iov(&iov).control(&control), 0).unwrap_err();
        assert_eq!(error.code(), SOCKET_EPERM);
        0
    });

    assert_eq!(code, 0);
}

#[test]
fn a_message_sent_before_so_passcred_is_set_comes_from_nobody() {
    let (here, there) = common::pair(SOCK_STREAM);
    socket_write(&here, "early", None).expect("space");

    socket_set_option(&there, SOL_SOCKET, SO_PASSCRED, 1).expect("an option");
    let space = socket_cmsg_space(SOL_SOCKET, SCM_CREDENTIALS, 0).expect("a size");
    let mut message = Received::new(socket_iovec_alloc(&[9]).expect("memory"), space).expect("memory");
    assert_eq!(socket_recvmsg(&there, &mut message, 0), Ok(5));

    let nobody = Credentials::new(0, 65534, 65534);
    let found: Vec<_> = message.control().map(|found| format!("{found:?}")).collect();
    assert_eq!(found, [format!("{:?}", ReceivedControl::Credentials(nobody))]);
}

/// Whether the PHP that runs sends descriptor 0 for a `Socket`.
fn php_sends_descriptor_0() -> bool {
    let sent = common::php(
        "socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
         socket_bind($socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP), '127.0.0.1');
         $control = [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [$socket]]];
         socket_sendmsg($pair[0], ['iov' => ['x'], 'control' => $control]);
         $message = ['buffer_size' => 1, 'controllen' => socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)];
         socket_recvmsg($pair[1], $message);
         $got = $message['control'][0]['data'][0];
         $name = fn ($socket) => socket_getsockname($socket, $address, $port) ? [$address, $port] : null;
         $is_it = $got instanceof Socket && $name($got) === $name($socket);
         $is_0 = is_resource($got) && fstat($got) == fstat(STDIN);
         echo json_encode([$is_it, $is_0]);",
    );
    match sent.as_str() {
        "[true,false]" => false,
        "[false,true]" => true,
        _ => panic!("{sent}"),
    }
}

/// A PHP after 8.5.7 may have the bug mended, or not yet.
#[test]
fn php_sends_descriptor_0_for_a_socket_and_this_crate_the_socket() {
    // 8.4.27 sends the socket; when the others will is not known.
    let known = match common::php_version() {
        ..80400 | 80500..=80507 => Some(true),
        80427..80500 => Some(false),
        _ => None,
    };
    let sends_0 = php_sends_descriptor_0();
    assert!(known.is_none_or(|known| sends_0 == known), "{sends_0}");

    let (here, there) = common::pair(SOCK_STREAM);
    let (socket, name) = common::bound(SOCK_STREAM);
    let descriptors = [socket.as_fd()];
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["x"]);
    assert_eq!(socket_sendmsg(&here, &Message::new().iov(&iov).control(&control), 0), Ok(1));
    let space = socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1).expect("a size");
    let mut message = Received::new(socket_iovec_alloc(&[1]).expect("memory"), space).expect("memory");
    assert_eq!(socket_recvmsg(&there, &mut message, 0), Ok(1));
    let got = Socket::from(message.take_rights().pop().expect("a descriptor"));
    assert_eq!(socket_getsockname(&got), Ok(name));
}

#[test]
fn the_twin_passes_a_socket_where_php_can_and_else_a_stream_of_it() {
    let text = text_of("19");
    let sends = "$sent = socket_sendmsg($ours, ['iov' => ['and this']";
    assert_eq!(text.matches(sends).count(), 1);
    let shown = format!("fwrite(STDERR, get_debug_type($passed));\n{sends}");
    let script = common::temporary::file(&text.replace(sends, &shown));

    let passed = if php_sends_descriptor_0() { "resource (stream)" } else { "Socket" };
    // The PHP that sends descriptor 0 sends a socket, too, if that is one.
    let (input, _other) = common::pair(SOCK_STREAM);
    for input in [Stdio::null(), OwnedFd::from(input).into()] {
        let output = common::php_command().arg(&script).stdin(input).output().expect("the twin runs");

        assert_eq!(String::from_utf8_lossy(&output.stderr), passed);
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("client: received 'Hello, the child serves you'\n"), "{said}");
    }
}

#[test]
fn its_file_is_in_a_folder_of_its_own() {
    for twin in twins_of("19") {
        keeps_its_files_in_a_folder_of_its_own(&twin, "19");
    }
}

#[test]
fn the_line_that_breaks_it_does_not_compile() {
    refused_as_its_readme_says("19-messages");
}
