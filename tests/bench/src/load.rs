//! The one load for all servers: it sends 64 bytes, and looks at every byte of the answers.

use std::io::{Error, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use shared::SIZE;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The clients of one server.
pub(crate) struct Load {
    port: u16,
    clients: Vec<TcpStream>,
    sent: u64,
}

impl Load {
    pub(crate) fn on(port: u16) -> Load {
        Load { port, clients: Vec::new(), sent: 0 }
    }

    /// More clients come, one after the other, and send one request each.
    pub(crate) fn join(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            self.clients.push(visit(self.port, self.sent)?);
            self.sent += 1;
        }
        Ok(())
    }

    /// Requests by the clients in turn. `wave` of them, each by another client, are on their way at the same time.
    pub(crate) fn play(&mut self, requests: u64, wave: usize) -> Result<()> {
        let count = self.clients.len() as u64;
        let end = self.sent + requests;
        while self.sent < end {
            let numbers = self.sent..end.min(self.sent + wave as u64);
            for number in numbers.clone() {
                self.clients[index(number, count)].write_all(&request(number))?;
            }
            for number in numbers.clone() {
                check(&mut self.clients[index(number, count)], number)?;
            }
            self.sent = numbers.end;
        }
        Ok(())
    }

    /// Clients that come, send one request and go, while another one stays.
    pub(crate) fn visits(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            leave(visit(self.port, self.sent)?)?;
            self.sent += 1;
        }
        Ok(())
    }

    /// All clients go, one after the other; with the last one the server ends.
    pub(crate) fn leave(self) -> Result<()> {
        self.clients.into_iter().try_for_each(leave)
    }
}

fn index(number: u64, count: u64) -> usize {
    usize::try_from(number % count).unwrap_or(0)
}

/// A line of 64 bytes, another one for each number.
fn request(number: u64) -> [u8; SIZE] {
    let mut line = [b'.'; SIZE];
    line[..16].copy_from_slice(format!("{number:016x}").as_bytes());
    line[SIZE - 1] = b'\n';
    line
}

fn check(client: &mut TcpStream, number: u64) -> Result<()> {
    let mut answer = [0; SIZE];
    client.read_exact(&mut answer)?;
    if answer == request(number) { Ok(()) } else { Err(Error::other(format!("a wrong answer to {number}"))) }
}

fn visit(port: u16, number: u64) -> Result<TcpStream> {
    let mut client = TcpStream::connect(("127.0.0.1", port))?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    client.write_all(&request(number))?;
    check(&mut client, number)?;
    Ok(client)
}

/// Waits until the server has closed too, so that it serves one end at a time.
fn leave(mut client: TcpStream) -> Result<()> {
    client.shutdown(Shutdown::Write)?;
    if client.read(&mut [0])? == 0 { Ok(()) } else { Err(Error::other("more than was asked for")) }
}
