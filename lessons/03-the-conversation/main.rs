//! Lesson 03 · the conversation. Run `make lesson-03`, then its PHP twin with `make php-03`.

use std::env;
use std::io::{IsTerminal, stdout};

use php_sockets::*;

// println! and its kin, for a pipe whose reader may leave.
#[macro_use]
#[path = "../screen.rs"]
mod screen;
#[path = "../text.rs"]
mod text;

fn main() -> Result<()> {
    // Colours are for a terminal, and only for a reader who has not set NO_COLOR.
    let wanted = stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (bold, green, magenta, plain) =
        if wanted { ("\x1b[1m", "\x1b[1;32m", "\x1b[1;35m", "\x1b[0m") } else { ("", "", "", "") };

    // A step is two lines: the call, and what came of it. Left is the server, right is the client.
    let gap = " ".repeat(34);
    let left = |call: &str, outcome: &str| println!("{green}{call}{plain}\n  {outcome}");
    let right = |call: &str, outcome: &str| println!("{gap}{magenta}{call}{plain}\n{gap}  {outcome}");
    // Where something travels to the other side, an arrow joins what came of it.
    let left_sends = |call: &str, what: &str| {
        println!("{green}{call}{plain}\n  {what} {green}---------------------->{plain}");
    };
    let right_sends = |call: &str, what: &str| {
        println!("{gap}{magenta}{call}{plain}\n{:11}{magenta}<----------------------{plain}  {what}", "");
    };
    let title = |text: &str| println!("\n{bold}{text}{plain}");
    let quoted = |data: &[u8]| format!("{} bytes: '{}'", data.len(), text::harmless(data));

    println!("One program plays both ends of a TCP conversation, one call after the other.\n");
    println!("{green}SERVER{plain}{:28}{magenta}CLIENT{plain}", "");

    title("1. The server gets an address and listens.");
    let listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    left("socket_create(AF_INET, SOCK_STREAM, SOL_TCP)", "listener: a TCP socket, no address yet");
    socket_bind(&listener, "127.0.0.1", 0)?;
    left("socket_bind(listener, '127.0.0.1', 0)", "this machine only; port 0 means any free port");
    socket_listen(&listener, 1)?;
    left("socket_listen(listener, 1)", "from now on the kernel lets clients queue here");
    let here = socket_getsockname(&listener)?;
    left("socket_getsockname(listener)", &format!("the kernel chose {here}"));

    title("2. The client connects. Its connection waits in the queue for the server.");
    let client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    right("socket_create(AF_INET, SOCK_STREAM, SOL_TCP)", "client: a TCP socket, no address yet");
    socket_connect(&client, "127.0.0.1", here.port)?;
    right_sends(&format!("socket_connect(client, '127.0.0.1', {})", here.port), "connected");
    let there = socket_getsockname(&client)?;
    right("socket_getsockname(client)", &format!("the kernel chose {there}"));
    let connection = socket_accept(&listener)?;
    left("socket_accept(listener)", "connection: a new socket, for this client alone");
    // Break it: uncomment the next line, which forgets that socket_accept can fail (error E0308).
    // socket_read(&socket_accept(&listener), 1024, PHP_BINARY_READ)?;

    title("3. A question and an answer.");
    let sent = socket_write(&client, "Hello, server!", None)?;
    right_sends("socket_write(client, 'Hello, server!')", &format!("{sent} bytes"));
    let data = socket_read(&connection, 1024, PHP_BINARY_READ)?;
    left("socket_read(connection, 1024)", &quoted(&data));
    let sent = socket_write(&connection, "Hello, client!", None)?;
    left_sends("socket_write(connection, 'Hello, client!')", &format!("{sent} bytes"));
    let data = socket_read(&client, 1024, PHP_BINARY_READ)?;
    right("socket_read(client, 1024)", &quoted(&data));

    title("4. Two writes, one read: a stream has no mark where a write ended.");
    let sent = socket_write(&client, "one, ", None)?;
    right_sends("socket_write(client, 'one, ')", &format!("{sent} bytes"));
    let more = socket_write(&client, "two", None)?;
    right_sends("socket_write(client, 'two')", &format!("{more} bytes"));
    // Reading at once might find the first write alone. So look first, taking nothing, until all 8 bytes are here:
    // socket_recv with MSG_PEEK and MSG_WAITALL, which lesson 07 explains.
    let mut seen = Vec::new();
    let waiting = socket_recv(&connection, &mut seen, sent + more, MSG_PEEK | MSG_WAITALL)?;
    let call = format!("socket_recv(connection, {}, MSG_PEEK | MSG_WAITALL)", sent + more);
    left(&call, &format!("{waiting} bytes, none taken yet"));
    let data = socket_read(&connection, 1024, PHP_BINARY_READ)?;
    left("socket_read(connection, 1024)", &quoted(&data));

    title("5. One write, two reads: the rest waits for the next read.");
    let sent = socket_write(&connection, "three, and four", None)?;
    left_sends("socket_write(connection, 'three, and four')", &format!("{sent} bytes"));
    let data = socket_read(&client, 9, PHP_BINARY_READ)?;
    right("socket_read(client, 9)", &quoted(&data));
    // Where nothing is left, the next read would wait for ever.
    if data.len() < sent {
        let data = socket_read(&client, 1024, PHP_BINARY_READ)?;
        right("socket_read(client, 1024)", &quoted(&data));
    }

    title("6. The client hangs up. The server reads the end of the stream.");
    socket_close(client);
    right_sends("socket_close(client)", "no more bytes will come");
    let data = socket_read(&connection, 1024, PHP_BINARY_READ)?;
    left("socket_read(connection, 1024)", &format!("{}, the end of the stream", quoted(&data)));
    socket_close(connection);
    left("socket_close(connection)", "this conversation is over");
    socket_close(listener);
    left("socket_close(listener)", &format!("nobody listens on port {} any more", here.port));

    println!("\nNext: lessons/03-the-conversation/README.md, then lessons 01, 02, 04 and so on.");
    println!("For one evening: lessons 03, 04, 06, 10, 13, 22.");
    Ok(())
}
