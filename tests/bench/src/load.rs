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

    /// More clients come, `wave` of them at the same time, and send one request each.
    pub(crate) fn join(&mut self, count: usize, wave: usize) -> Result<()> {
        let end = self.clients.len() + count;
        while self.clients.len() < end {
            let first = self.clients.len();
            for _ in first..end.min(first + wave) {
                self.clients.push(connect(self.port)?);
            }
            let come = &mut self.clients[first..];
            for (number, client) in (self.sent..).zip(come.iter_mut()) {
                client.write_all(&request(number))?;
            }
            for (number, client) in (self.sent..).zip(come.iter_mut()) {
                check(client, number)?;
            }
            self.sent += come.len() as u64;
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
            let mut client = connect(self.port)?;
            client.write_all(&request(self.sent))?;
            check(&mut client, self.sent)?;
            leave(&mut [client])?;
            self.sent += 1;
        }
        Ok(())
    }

    /// All clients go, `wave` of them at the same time; with the last one the server ends.
    pub(crate) fn leave(mut self, wave: usize) -> Result<()> {
        self.clients.chunks_mut(wave).try_for_each(leave)
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

fn connect(port: u16) -> Result<TcpStream> {
    let client = TcpStream::connect(("127.0.0.1", port))?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    Ok(client)
}

/// Waits until the server has closed too.
fn leave(clients: &mut [TcpStream]) -> Result<()> {
    for client in clients.iter() {
        client.shutdown(Shutdown::Write)?;
    }
    for client in clients {
        if client.read(&mut [0])? != 0 {
            return Err(Error::other("more than was asked for"));
        }
    }
    Ok(())
}
