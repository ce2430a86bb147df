//! Lesson 19 · messages. Run `make lesson-19`, then its PHP twin with `make php-19`.

use std::fs::{self, File};
use std::io::{Read, Write, stdin};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;
use std::{env, error};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../folder.rs"]
mod folder;
#[path = "../text.rs"]
mod text;

use folder::Folder;
use text::harmless;

fn main() -> Result<(), Box<dyn error::Error>> {
    // The same program plays both processes; the child is started with one argument more.
    if env::args_os().nth(1).is_some_and(|argument| argument == "child") {
        return child();
    }

    let (ours, theirs) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    // Its standard input is the child's end of the pair. Nothing else of ours is open in the child.
    let mut command = Command::new(env::current_exe()?);
    let mut process = command.arg("child").stdin(OwnedFd::from(theirs)).spawn()?;
    drop(command);

    println!("1. An open file, for another process.");
    let folder = Folder::new("lesson-19")?;
    let path = folder.file("text");
    // A new file: an error if there is one already, or a link.
    File::create_new(&path)?.write_all(b"written by the parent")?;
    let file = File::open(&path)?;
    fs::remove_file(&path)?;
    println!("   parent: has opened a file and removed its name: nobody can open it any more");
    let descriptors = [file.as_fd()];
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["here it is"]);
    let sent = socket_sendmsg(&ours, &Message::new().iov(&iov).control(&control), 0)?;
    println!("   parent: sends {sent} bytes, and beside them the descriptor");
    // Ours may be closed now: the message has one of its own.
    drop(file);

    println!("2. Who is at the other end? The kernel knows.");
    socket_set_option(&ours, SOL_SOCKET, SO_PASSCRED, 1)?;
    // Buffers for the answer and for the control message beside it.
    let space = socket_cmsg_space(SOL_SOCKET, SCM_CREDENTIALS, 0)?;
    let mut answer = Received::new(socket_iovec_alloc(&[1024])?, space)?;
    // The child waits for this byte, so that it does not answer before the option is set.
    socket_write(&ours, "?", None)?;
    socket_recvmsg(&ours, &mut answer, 0)?;
    println!("   parent: received '{}'", harmless(answer.iov().get(0).unwrap_or_default()));
    for message in answer.control() {
        if let ReceivedControl::Credentials(sender) = message {
            println!(
                "   parent: it comes from process {}, user {}, group {}",
                sender.pid, sender.uid, sender.gid
            );
            let is_child = u32::try_from(sender.pid) == Ok(process.id());
            println!("   parent: which is {}", if is_child { "the child" } else { "somebody else" });
        }
    }

    println!("3. A connection, for another process.");
    let (client, connection) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    let descriptors = [connection.as_fd()];
    let control = [ControlMessage::Rights(&descriptors)];
    let iov = IoVec::from(["and this"]);
    let sent = socket_sendmsg(&ours, &Message::new().iov(&iov).control(&control), 0)?;
    println!("   parent: sends {sent} bytes, and beside them the server's end of a connection");
    socket_close(connection);
    println!("   client: received '{}'", harmless(&socket_read(&client, 1024, PHP_BINARY_READ)?));
    socket_close(client);
    socket_close(ours);
    println!("   parent: the child ended with {}", process.wait()?.code().unwrap_or(-1));
    Ok(())
}

/// Receives the file, reads it, and answers with its text; then serves the connection.
fn child() -> Result<(), Box<dyn error::Error>> {
    let socket = Socket::from(stdin().as_fd().try_clone_to_owned()?);
    let space = socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1)?;
    let mut message = Received::new(socket_iovec_alloc(&["here it is".len()])?, space)?;
    socket_recvmsg(&socket, &mut message, 0)?;

    let mut contents = String::new();
    // Break it: uncomment the next line, which takes a list of descriptors for a file (error E0308).
    // let file: &File = message.take_rights();
    // A descriptor that is not taken is closed with the message; this one is now a file like any other.
    if let Some(descriptor) = message.take_rights().pop() {
        File::from(descriptor).read_to_string(&mut contents)?;
    }
    // The parent's byte, or the end. The rest of the message, if there is one, comes before it.
    while !matches!(socket_read(&socket, 1, PHP_BINARY_READ)?.as_slice(), b"?" | b"") {}
    socket_write(&socket, format!("I have read: {contents}"), None)?;

    socket_recvmsg(&socket, &mut message, 0)?;
    if let Some(descriptor) = message.take_rights().pop() {
        socket_write(&Socket::from(descriptor), "Hello, the child serves you", None)?;
    }
    Ok(())
}
