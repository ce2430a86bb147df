//! `socket_select` against sets of descriptors. `control` says how to run it.
//!
//! The first byte is the number of sockets, each of which has three more: its kind and its descriptor. The next byte has
//! the forms of the three arrays; what follows are their elements in turn.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../models/select.rs"]
mod model;

thread_local! {
    static READY: model::Ready = model::Ready::new();
}

fuzz_target!(|bytes: &[u8]| {
    let [count, rest @ ..] = bytes else { return };
    let (sockets, rest) = rest.split_at(rest.len().min(3 * usize::from(count % 64)));
    let sockets: Vec<(usize, u16)> = sockets
        .chunks_exact(3)
        .map(|chunk| (usize::from(chunk[0]), u16::from_le_bytes([chunk[1], chunk[2]])))
        .collect();
    let [forms, places @ ..] = rest else { return };
    let mut arrays = [forms & 3, forms >> 2 & 3, forms >> 4 & 3].map(|form| (form, Vec::new()));
    for (at, place) in places.iter().enumerate() {
        arrays[at % 3].1.push(usize::from(*place) % 64);
    }
    READY.with(|ready| model::holds(ready, &sockets, &arrays));
});
