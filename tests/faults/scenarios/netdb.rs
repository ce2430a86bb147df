use php_sockets::*;

use super::Then::Or;
use super::bind::files_only;
use super::{RESOLVER, Rule, Scenario, on};

pub(super) const SCENARIOS: &[Scenario] = &[
    // The name comes back where its address is not found, as in PHP.
    Scenario::new(
        "gethostbyname",
        "",
        |stage| {
            files_only();
            stage.value(stage.plain(|| gethostbyname("localhost")));
        },
        &[on(RESOLVER, Or("\"localhost\""))],
    ),
    Scenario::new(
        "gethostbynamel",
        "",
        |stage| {
            files_only();
            stage.value(stage.plain(|| gethostbynamel("localhost")));
        },
        UNKNOWN,
    ),
    Scenario::new("getprotobyname", "", |stage| stage.value(stage.plain(|| getprotobyname("tcp"))), UNKNOWN),
    Scenario::new("getprotobynumber", "", |stage| stage.value(stage.plain(|| getprotobynumber(6))), UNKNOWN),
    Scenario::new(
        "getservbyname",
        "",
        |stage| stage.value(stage.plain(|| getservbyname("http", "tcp"))),
        UNKNOWN,
    ),
    Scenario::new(
        "getservbyport",
        "",
        |stage| stage.value(stage.plain(|| getservbyport(80, "tcp"))),
        UNKNOWN,
    ),
];

const UNKNOWN: &[Rule] = &[on(RESOLVER, Or("None"))];
