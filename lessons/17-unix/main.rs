//! Lesson 17 · Unix sockets. Run `make lesson-17`, then its PHP twin with `make php-17`.

use std::error;
use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{self, Command};

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
    println!("1. A stream, with a path for a name.");
    let folder = Folder::new("lesson-17")?;
    let path = folder.file("socket");
    let listener = socket_create(AF_UNIX, SOCK_STREAM, 0)?;
    socket_bind(&listener, &path, 0)?;
    // To write to the file is to connect: in a folder that others may enter, this would say who can.
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    socket_listen(&listener, 1)?;
    println!("   server: bound to {}", socket_getsockname(&listener)?);
    println!(
        "   its file has mode {:o}: only its owner may connect",
        fs::metadata(&path)?.permissions().mode() & 0o777
    );
    let client = socket_create(AF_UNIX, SOCK_STREAM, 0)?;
    socket_connect(&client, &path, None)?;
    let connection = socket_accept(&listener)?;
    socket_write(&client, "Hello!", None)?;
    println!("   server: received '{}'", harmless(&socket_read(&connection, 1024, PHP_BINARY_READ)?));
    let name = socket_getpeername(&connection)?;
    println!("   server: from '{name}': the client has no name, for it was never bound");
    socket_close(client);
    socket_close(connection);
    socket_close(listener);

    println!("2. The file outlives its socket.");
    let late = socket_create(AF_UNIX, SOCK_STREAM, 0)?;
    match socket_connect(&late, &path, None) {
        Ok(()) => println!("   client: connected"),
        Err(error) => println!("   client: {error}"),
    }
    match socket_bind(&late, &path, 0) {
        Ok(()) => println!("   server: bound"),
        Err(error) => println!("   server: {error}"),
    }
    fs::remove_file(&path)?;
    socket_bind(&late, &path, 0)?;
    println!("   server: bound, once the file is removed");
    socket_close(late);
    fs::remove_file(&path)?;

    println!("3. Datagrams, with an abstract name: no file, nothing to remove.");
    let name = format!("\0lesson-17-{}", process::id());
    let server = socket_create(AF_UNIX, SOCK_DGRAM, 0)?;
    socket_bind(&server, &name, 0)?;
    let client = socket_create(AF_UNIX, SOCK_DGRAM, 0)?;
    socket_connect(&client, &name, None)?;
    for word in ["one", "two"] {
        socket_send(&client, word, word.len(), 0)?;
    }
    let mut data = Vec::new();
    for _ in 0..2 {
        let (length, _) = socket_recvfrom(&server, &mut data, 1024, 0)?;
        println!("   server: received {length} bytes: '{}'", harmless(&data));
    }
    socket_close(client);
    socket_close(server);

    println!("4. A pair, between this program and a child.");
    let (ours, theirs) = socket_create_pair(AF_UNIX, SOCK_STREAM, 0)?;
    // The child's end becomes its standard input and output; all else is closed when it begins.
    let output = OwnedFd::from(theirs);
    let input = output.try_clone()?;
    let mut command = Command::new("tr");
    let mut child = command.args(["a-z", "A-Z"]).stdin(input).stdout(output).spawn()?;
    // `command` has our copy of the child's end. While it is open, no end of the stream comes.
    drop(command);
    // Break it: uncomment the next line. The pair's second end belongs to the child now (error E0382).
    // socket_write(&theirs, "Who is there?", None)?;
    socket_write(&ours, "hello, child", None)?;
    socket_shutdown(&ours, SHUT_WR)?;
    println!("   parent: said 'hello, child', and that it will say no more");
    println!("   parent: received '{}'", harmless(&socket_read(&ours, 1024, PHP_BINARY_READ)?));
    let rest = socket_read(&ours, 1024, PHP_BINARY_READ)?;
    println!(
        "   parent: received '{}', {}",
        harmless(&rest),
        if rest.is_empty() { "the end" } else { "more" }
    );
    println!("   parent: the child ended with {}", child.wait()?.code().unwrap_or(-1));
    socket_close(ours);
    Ok(())
}
