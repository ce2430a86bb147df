//! The daemon of the porting guide, after the port.

use php_sockets::event::{Event, EventBase};
use php_sockets::*;
use std::{cell::Cell, collections::BTreeMap, env, rc::Rc};

/// PHP's constant of the extension pcntl; the crate has those of sockets.
const SIGTERM: i32 = 15;

struct Client {
    socket: Socket,
    input: Vec<u8>,
}

/// The answer to a line such as "reverse abc".
fn answer(line: &[u8]) -> Result<Vec<u8>, String> {
    let mut words = trim(line).splitn(2, |byte| *byte == b' ');
    let command = words.next().unwrap_or_default();
    let text = words.next().unwrap_or_default();
    Ok(match command {
        b"reverse" => text.iter().rev().copied().collect(),
        b"hex" => bin2hex(text).into_bytes(),
        b"length" => {
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bin2hex(&length.to_be_bytes()).into_bytes()
        }
        b"first" => text.first().unwrap_or(&0).to_string().into_bytes(),
        other => {
            let name = String::from_utf8_lossy(other);
            return Err(format!("unknown command '{name}'"));
        }
    })
}

/// PHP's trim. `trim_ascii` leaves NULs and vertical tabs, takes form feeds.
fn trim(text: &[u8]) -> &[u8] {
    let stays = |byte: &u8| !b" \n\r\t\x0b\0".contains(byte);
    let begin = text.iter().position(stays).unwrap_or(text.len());
    let end = text.iter().rposition(stays).map_or(begin, |last| last + 1);
    &text[begin..end]
}

fn bin2hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn main() -> Result<()> {
    let running = Rc::new(Cell::new(true));
    let (signals, flag) = (EventBase::new()?, Rc::clone(&running));
    let stop = Event::signal(&signals, SIGTERM, move |_, _| flag.set(false))?;
    stop.add(None)?;

    let port = env::args().nth(1).and_then(|port| port.parse().ok());
    let server = socket_create(AF_INET, SOCK_STREAM, SOL_TCP)?;
    socket_set_option(&server, SOL_SOCKET, SO_REUSEADDR, 1)?;
    socket_bind(&server, "127.0.0.1", port.unwrap_or(0))?;
    socket_listen(&server, SOMAXCONN)?;
    socket_set_nonblock(&server)?;
    println!("Listening on {}", socket_getsockname(&server)?);

    let mut clients: BTreeMap<u64, Client> = BTreeMap::new();
    let mut last_id = 0;
    while running.get() {
        let mut read = vec![(0, &server)];
        read.extend(clients.iter().map(|(id, client)| (*id, &client.socket)));
        let selected = socket_select(Some(&mut read), None, None, 1, 0);
        let ready: Vec<u64> = read.into_iter().map(|(id, _)| id).collect();
        signals.run(EventBase::LOOP_NONBLOCK)?; // pcntl_signal_dispatch()
        if selected.is_err() {
            continue; // a signal came
        }
        for id in ready {
            if id == 0 {
                if let Ok(socket) = socket_accept(&server) {
                    last_id += 1;
                    let client = Client { socket, input: Vec::new() };
                    clients.insert(last_id, client);
                }
                continue;
            }
            let Some(client) = clients.get_mut(&id) else { continue };
            let data = socket_read(&client.socket, 1024, PHP_BINARY_READ)
                .unwrap_or_default();
            if data.is_empty() {
                clients.remove(&id);
                continue;
            }
            client.input.extend(data);
            while let Some(end) =
                client.input.iter().position(|byte| *byte == b'\n')
            {
                let line: Vec<u8> = client.input.drain(..=end).collect();
                let mut text = match answer(&line) {
                    Ok(text) => text,
                    Err(error) => format!("error: {error}").into_bytes(),
                };
                text.push(b'\n');
                if socket_write(&client.socket, &text, None) != Ok(text.len()) {
                    clients.remove(&id);
                    break;
                }
            }
        }
    }
    println!("Bye");
    Ok(())
}
