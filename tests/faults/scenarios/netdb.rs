use php_sockets::*;

use super::Then::{Coded, Or, Same};
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
    Scenario::new(
        "gethostbyaddr",
        "",
        |stage| {
            files_only();
            stage.value(stage.plain(|| gethostbyaddr("127.0.0.1").expect("an address")));
        },
        &[on(RESOLVER, Or("\"127.0.0.1\""))],
    ),
    Scenario::new(
        "gethostbyaddr",
        "an address without a name",
        |stage| {
            files_only();
            let name = stage.plain(|| gethostbyaddr("2001:0DB8::1").expect("an address"));
            assert_eq!(name, "2001:0DB8::1", "as it was given, not as the C library writes it");
            stage.value(name);
        },
        &[on(RESOLVER, Same)],
    ),
    Scenario::new(
        "gethostname",
        "",
        |stage| {
            let name = stage.call(None, gethostname);
            stage.value(name.or_else(|_| gethostname()).expect("a name"));
        },
        &[on("uname", Coded("gethostname(): Unable to fetch host"))],
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
    Scenario::new("inet_pton", "", |stage| stage.value(stage.plain(|| inet_pton("::1"))), &[]),
    Scenario::new("inet_ntop", "", |stage| stage.value(stage.plain(|| inet_ntop([127, 0, 0, 1]))), &[]),
    Scenario::new("ip2long", "", |stage| stage.value(stage.plain(|| ip2long("127.0.0.1"))), &[]),
    Scenario::new("long2ip", "", |stage| stage.value(stage.plain(|| long2ip(1 << 31))), &[]),
];

const UNKNOWN: &[Rule] = &[on(RESOLVER, Or("None"))];
