//! Broadcast and multicast.

use super::both_print;

#[test]
fn a_broadcast_reaches_every_receiver() {
    both_print(
        "broadcast",
        "may broadcast: 0
socket_sendto(): Unable to write to socket [13]: Permission denied
may broadcast: 1
sent 8 bytes
sent 0 bytes
sent 8 bytes
first: 8 bytes from 127.0.0.1: 'anybody?'
first: 0 bytes from 127.0.0.1: ''
first: 8 bytes from 127.0.0.1: 'good bye'
second: 8 bytes from 127.0.0.1: 'anybody?'
second: 0 bytes from 127.0.0.1: ''
second: 8 bytes from 127.0.0.1: 'good bye'
first: Resource temporarily unavailable
",
    );
}

#[test]
fn a_multicast_receiver_hears_whom_it_wants() {
    both_print(
        "multicast",
        "socket_set_option(): Unable to set socket option [98]: Address already in use
127.0.0.1 says 'hello'
127.0.0.2 says 'hello, too'
127.0.0.1 says 'I can'
127.0.0.2 says 'now I can, too'
left; multicast goes out by interface 0
silence: Resource temporarily unavailable
",
    );
}
