//! Functions that make no system call at all.

use php_sockets::*;

use super::Scenario;
use crate::common;
use crate::stage::Stage;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("socket_last_error", "", last_error, &[]),
    Scenario::new("socket_clear_error", "", clear_error, &[]),
    Scenario::new(
        "socket_strerror",
        "",
        |stage| {
            stage
                .value(stage.plain(|| [socket_strerror(98), socket_strerror(-10001), socket_strerror(9999)]));
        },
        &[],
    ),
];

fn last_error(stage: &Stage) {
    let (socket, _peer) = common::pair(SOCK_STREAM);
    stage.value(stage.plain(|| (socket_last_error(None), socket_last_error(&socket))));
}

fn clear_error(stage: &Stage) {
    let (socket, _peer) = common::pair(SOCK_STREAM);
    socket_listen(&socket, 1).expect_err("it is connected");
    let codes = stage.plain(|| {
        let before = socket_last_error(&socket);
        socket_clear_error(&socket);
        socket_clear_error(None);
        (before, socket_last_error(&socket))
    });
    stage.value(codes);
}
