//! Address infos and name databases: everything that PHP answers, asked of both.

use std::ffi::{OsStr, c_int};

use php_sockets::*;
use serde_json::{Value, json};

use crate::common;
use crate::dialects::{self, by_version};
use crate::record;

/// The result of PHP code, which encodes it by `json_encode`.
fn php_json(code: &str) -> Value {
    let text = common::php(code);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Compares row by row, so that a difference is found. The other answer of an older PHP must be listed.
fn same(rust: &[Value], php: &Value, what: impl Fn(usize) -> String) {
    let php = php.as_array().expect("a list");
    assert_eq!(rust.len(), php.len());
    for (row, (ours, theirs)) in rust.iter().zip(php).enumerate() {
        let older = dialects::older("", ours);
        let expected = older.as_ref().map_or(ours, |(_, answer)| answer);
        assert_eq!(expected, theirs, "{}", what(row));
        record::tally(older.map(|(item, _)| item));
    }
}

/// The array that PHP makes of an address info.
fn explained(address: &AddressInfo) -> Value {
    let details = socket_addrinfo_explain(address);
    let mut array = json!({
        "ai_flags": details.ai_flags,
        "ai_family": details.ai_family,
        "ai_socktype": details.ai_socktype,
        "ai_protocol": details.ai_protocol,
    });
    if let Some(name) = details.ai_canonname {
        array["ai_canonname"] = json!(name.to_str());
    }
    let (address, port) = (details.ai_addr.address.to_str(), details.ai_addr.port);
    array["ai_addr"] = match details.ai_family {
        AF_INET => json!({ "sin_port": port, "sin_addr": address }),
        _ => json!({ "sin6_port": port, "sin6_addr": address }),
    };
    array
}

/// Hosts that no name server is asked for.
const HOSTS: [&str; 22] = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.1",
    "0.0.0.0",
    "255.255.255.255",
    "127.0.0.1 ",
    "localhost",
    "LOCALHOST",
    "",
    "::",
    "::1",
    "1:2:3:4:5:6:7:8",
    "::ffff:1.2.3.4",
    "fe80::1",
    "fe80::1%1",
    "fe80::1%lo",
    "fe80::1%nosuch0",
    "::1%1",
    "a-label-of-more-than-sixty-three-bytes-is-against-the-rules-of-the-dns.invalid",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
];

const SERVICES: [Option<&str>; 16] = [
    None,
    Some(""),
    Some("0"),
    Some("80"),
    Some(" 80"),
    Some("80 "),
    Some("0x50"),
    Some("-1"),
    Some("65535"),
    Some("65536"),
    Some("99999999999"),
    Some("http"),
    Some("HTTP"),
    Some("domain"),
    Some("tftp"),
    Some("no such service"),
];

/// Flags, family, socket type, protocol.
const HINTS: [[c_int; 4]; 26] = [
    [0, 0, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 2, 0],
    [0, 0, 3, 0],
    [0, 0, 3, 1],
    [0, 0, 5, 0],
    [0, 0, 99, 0],
    [0, 0, 1 | SOCK_NONBLOCK, 0],
    [0, 0, 0, 6],
    [0, 0, 0, 17],
    [0, 0, 0, 132],
    [0, 0, 1, 17],
    [0, 0, 1, -1],
    [0, 0, -1, 0],
    [0, AF_INET, 1, 0],
    [0, AF_UNIX, 1, 0],
    [0, AF_PACKET, 1, 0],
    [0, 99, 1, 0],
    [0, -1, 1, 0],
    [AI_PASSIVE, 0, 1, 0],
    [AI_CANONNAME, 0, 0, 0],
    [AI_NUMERICHOST, 0, 1, 0],
    [AI_NUMERICSERV, 0, 1, 0],
    [AI_ADDRCONFIG, 0, 1, 0],
    [AI_IDN, AF_INET, 1, 0],
    [-1, 0, 0, 0],
];

/// The same for hosts that are an address already: with IPv6 alone, a name would be asked of a name server.
const NUMERIC: [[c_int; 4]; 5] = [
    [AI_NUMERICHOST, AF_INET6, 1, 0],
    [AI_NUMERICHOST | AI_V4MAPPED, AF_INET6, 1, 0],
    [AI_NUMERICHOST | AI_V4MAPPED | AI_ALL, AF_INET6, 2, 0],
    [AI_NUMERICHOST | AI_CANONNAME, AF_INET6, 0, 0],
    [AI_NUMERICHOST | AI_CANONNAME | AI_IDN | AI_CANONIDN, 0, 1, 0],
];

// [V] 2.24: "without ai_socktype each address appears 3 times" if the service is a number; a name gives the types that
// the service has. A failure is false. explain's keys. Hints below 0 and another family throw; before 8.5 they are failures.
// The family 0, which 8.5 refuses and older versions take, is in Rust no family: PHP gets no such key.
#[test]
fn every_look_up_finds_what_phps_finds() {
    let hints: Vec<[c_int; 4]> = [HINTS.as_slice(), NUMERIC.as_slice()].concat();
    let code = format!(
        "$rows = [];
         foreach (json_decode('{}') as $host) foreach (json_decode('{}') as $service) foreach (json_decode('{}') as $h) {{
             $hints = ['ai_flags' => $h[0], 'ai_family' => $h[1], 'ai_socktype' => $h[2], 'ai_protocol' => $h[3]];
             if ($h[1] === 0) unset($hints['ai_family']);
             try {{
                 $found = socket_addrinfo_lookup($host, $service, $hints);
                 $rows[] = ['value' => $found === false ? false : array_map('socket_addrinfo_explain', $found), 'thrown' => null];
             }} catch (ValueError $e) {{
                 $rows[] = ['value' => false, 'thrown' => $e->getMessage()];
             }}
         }}
         echo json_encode($rows);",
        json!(HOSTS),
        json!(SERVICES),
        json!(hints)
    );
    let mut asked = Vec::new();
    let mut rust = Vec::new();
    for host in HOSTS {
        for service in SERVICES {
            for row @ [ai_flags, ai_family, ai_socktype, ai_protocol] in &hints {
                let hints = AddrinfoHints::new()
                    .ai_flags(*ai_flags)
                    .ai_family(*ai_family)
                    .ai_socktype(*ai_socktype)
                    .ai_protocol(*ai_protocol);
                rust.push(match socket_addrinfo_lookup(host, service, hints) {
                    Ok(found) => {
                        json!({"value": found.iter().map(explained).collect::<Value>(), "thrown": null})
                    }
                    Err(error) if error.kind() == ErrorKind::Value => {
                        json!({"value": false, "thrown": error.to_string()})
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Silent);
                        json!({"value": false, "thrown": null})
                    }
                });
                asked.push((host, service, row));
            }
        }
    }

    same(&rust, &php_json(&code), |row| format!("{:?}", asked[row]));
    let found = rust.iter().filter(|row| row["value"].is_array()).count();
    let thrown = rust.iter().filter(|row| row["thrown"].is_string()).count();
    assert_eq!(thrown, 7 * HOSTS.len() * SERVICES.len());
    assert!(
        rust.len() == 31 * HOSTS.len() * SERVICES.len() && found > 1500,
        "{found} of {} found something",
        rust.len()
    );
    assert_eq!(socket_last_error(None), 0);
}

// [V] 2.24: the keys of explain, in order; ai_canonname only if present.
#[test]
fn the_fields_stand_in_the_order_of_phps_keys() {
    let hints = AddrinfoHints::new().ai_flags(AI_CANONNAME).ai_socktype(SOCK_STREAM);
    let details = socket_addrinfo_explain(&socket_addrinfo_lookup("::1", 80, hints).unwrap()[0]);

    let php = php_json(
        "echo json_encode(array_keys(socket_addrinfo_explain(socket_addrinfo_lookup('::1', '80',
             ['ai_flags' => AI_CANONNAME, 'ai_socktype' => SOCK_STREAM])[0])));",
    );

    let text = format!("{details:?}");
    let places: Vec<usize> = php
        .as_array()
        .unwrap()
        .iter()
        .map(|key| text.find(&format!("{}: ", key.as_str().unwrap())).unwrap())
        .collect();
    assert!(places.len() == 6 && places.is_sorted(), "{php} {text}");
}

// [V] 2.24: PHP makes numbers of the hints' values, and throws for other keys. Before 8.5 it ignores keys that are numbers.
// Ours are numbers, and other keys do not compile.
#[test]
fn phps_hints_are_looser_and_throw() {
    let ours = socket_addrinfo_lookup("::1", 80, AddrinfoHints::new().ai_socktype(SOCK_DGRAM)).unwrap();

    let php = php_json(
        "echo json_encode(array_map('socket_addrinfo_explain', socket_addrinfo_lookup('::1', '80', ['ai_socktype' => '2'])));",
    );
    let thrown =
        |hints: &str| common::php_failure(&format!("socket_addrinfo_lookup('::1', '80', [{hints}])")).thrown;

    assert_eq!(ours.iter().map(explained).collect::<Value>(), php);
    let keys = "socket_addrinfo_lookup(): Argument #3 ($hints) must only contain array keys \"ai_flags\", \"ai_socktype\", \
                \"ai_protocol\", or \"ai_family\"";
    assert_eq!(thrown("'ai_sockettype' => 2").as_deref(), Some(keys));
    assert_eq!(thrown("7 => 'ignored'").as_deref(), by_version(&[(80200, None), (80500, Some(keys))]));
}

// 2.24: what 8.5 throws for a hint, key by key in the order of the array; before, it is a failure that says nothing. The
// family 0 is no family before 8.5, and stays so in this crate.
#[test]
fn hints_have_bounds_since_8_5() {
    let between = |key: &str| format!("\"{key}\" key must be between 0 and 2147483647");
    let type_of = |key: &str, given: &str| format!("\"{key}\" key must be of type int, {given} given");
    let family = "\"ai_family\" key must be AF_INET or AF_INET6".to_owned();
    let mut rows = vec![
        ("'ai_socktype' => -1, 'ai_flags' => -1".to_owned(), between("ai_socktype")),
        ("'ai_flags' => -1, 'ai_family' => 99".to_owned(), between("ai_flags")),
        ("'ai_family' => 99, 'ai_flags' => -1".to_owned(), family.clone()),
    ];
    for key in ["ai_flags", "ai_socktype", "ai_protocol"] {
        for value in ["-1", "2147483648", "PHP_INT_MAX", "PHP_INT_MIN"] {
            rows.push((format!("'{key}' => {value}"), between(key)));
        }
        for (value, given) in [("'abc'", "string"), ("''", "string"), ("[]", "array")] {
            rows.push((format!("'{key}' => {value}"), type_of(key, given)));
        }
    }
    for value in ["0", "-1", "1", "99", "2147483647", "true", "null"] {
        rows.push((format!("'ai_family' => {value}"), family.clone()));
    }
    for (hints, newest) in rows {
        let failure = common::php_failure(&format!("socket_addrinfo_lookup('::1', '80', [{hints}])"));

        let newest = format!("socket_addrinfo_lookup(): Argument #3 ($hints) {newest}");
        assert_eq!(
            failure.thrown.as_deref(),
            by_version(&[(80200, None), (80500, Some(newest.as_str()))]),
            "{hints}"
        );
        assert_eq!((failure.warning, failure.last), (None, 0), "{hints}");
    }
    let taken = php_json(
        "foreach (['2', ' 2', '2.0', 2.0] as $type)
             $found[] = count(socket_addrinfo_lookup('::1', '80', ['ai_socktype' => $type]));
         foreach ([true, false, null] as $flags)
             $found[] = count(socket_addrinfo_lookup('::1', '80', ['ai_flags' => $flags, 'ai_socktype' => 2]));
         echo json_encode($found);",
    );
    assert_eq!(taken, json!([1, 1, 1, 1, 1, 1, 1]));

    let look_up = |hints: AddrinfoHints| socket_addrinfo_lookup("::1", 80, hints);
    let hints = AddrinfoHints::new();
    for (hints, text) in [
        (hints.ai_flags(-1), between("ai_flags")),
        (hints.ai_socktype(-1), between("ai_socktype")),
        (hints.ai_protocol(-1), between("ai_protocol")),
        (hints.ai_family(AF_UNIX), family.clone()),
        (hints.ai_family(-1), family.clone()),
    ] {
        let error = look_up(hints).unwrap_err();
        assert_eq!(error.to_string(), format!("socket_addrinfo_lookup(): Argument #3 ($hints) {text}"));
        assert_eq!((error.kind(), socket_last_error(None)), (ErrorKind::Value, 0));
    }
    assert_eq!(look_up(hints.ai_family(0).ai_socktype(SOCK_STREAM)).unwrap().len(), 1);
}

#[test]
fn a_service_as_a_number_is_what_php_makes_of_it() {
    for port in [0, 1, 80, 65535_u16] {
        let ours: Vec<Value> =
            socket_addrinfo_lookup("127.0.0.1", port, None).unwrap().iter().map(explained).collect();

        let php = php_json(&format!(
            "echo json_encode(array_map('socket_addrinfo_explain', socket_addrinfo_lookup('127.0.0.1', {port})));"
        ));

        assert_eq!(Value::from(ours), php, "{port}");
    }
}

/// Of a bound or connected socket: family, type, address, whether the port is the one that was meant, the own error.
fn end(socket: &Socket, name: &SocketName, port: u16) -> Value {
    let kind = format!("{socket:?}").split("type: ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    json!([name.family, kind, name.address.to_str(), name.port == port, socket_last_error(socket)])
}

#[test]
fn sockets_of_address_infos_are_those_of_php() {
    let code = "
        function row($s, $get, $port, $family) {
            $get($s, $a, $p);
            return [$family, (string) socket_get_option($s, SOL_SOCKET, SO_TYPE), $a, $p == $port, socket_last_error($s)];
        }
        $rows = [];
        foreach (['127.0.0.1', '::1', '::ffff:127.0.0.1'] as $host) foreach ([SOCK_STREAM, SOCK_DGRAM] as $type) {
            $info = socket_addrinfo_lookup($host, '0', ['ai_socktype' => $type])[0];
            $family = socket_addrinfo_explain($info)['ai_family'];
            $bound = socket_addrinfo_bind($info);
            if ($type == SOCK_STREAM) socket_listen($bound);
            socket_getsockname($bound, $a, $port);
            $rows[] = row($bound, 'socket_getsockname', $port, $family);
            $client = socket_addrinfo_connect(socket_addrinfo_lookup($host, $port, ['ai_socktype' => $type])[0]);
            $rows[] = row($client, 'socket_getpeername', $port, $family);
            $rows[] = @socket_addrinfo_bind(socket_addrinfo_lookup($host, $port, ['ai_socktype' => $type])[0]);
            $rows[] = error_get_last()['message']; error_clear_last();
            $rows[] = socket_last_error();
        }
        echo json_encode($rows);";
    let mut rust = Vec::new();
    for host in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        for kind in [SOCK_STREAM, SOCK_DGRAM] {
            let look_up = |port: u16| {
                let hints = AddrinfoHints::new().ai_socktype(kind);
                socket_addrinfo_lookup(host, port, hints).unwrap().remove(0)
            };
            let bound = socket_addrinfo_bind(&look_up(0)).unwrap();
            if kind == SOCK_STREAM {
                socket_listen(&bound, 0).unwrap();
            }
            let name = socket_getsockname(&bound).unwrap();
            rust.push(end(&bound, &name, name.port));
            let client = socket_addrinfo_connect(&look_up(name.port)).unwrap();
            rust.push(end(&client, &socket_getpeername(&client).unwrap(), name.port));
            let error = socket_addrinfo_bind(&look_up(name.port)).unwrap_err();
            rust.extend([json!(false), json!(error.to_string()), json!(socket_last_error(None))]);
        }
    }

    same(&rust, &php_json(code), |row| format!("row {row}"));
}

// [V] 7: gethostbyname gives its input back, gethostbynamel false; "" is an unknown name.
#[test]
fn hosts_are_those_of_php() {
    let own = common::php("echo gethostname();");
    let mut hosts = HOSTS.to_vec();
    hosts.extend([
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "a b",
        " 127.0.0.1",
        "4294967295",
        "4294967296",
        "08.1.1.1",
        ".",
    ]);
    hosts.retain(|host| !host.starts_with('\u{ff11}') && !host.contains('%'));
    if std::fs::read_to_string("/etc/hosts").is_ok_and(|hosts| hosts.contains(&own)) {
        hosts.push(&own);
    }
    let long = "x".repeat(256);
    hosts.push(&long);

    let php = php_json(&format!(
        "$rows = []; foreach (json_decode('{}') as $h) $rows[] = [@gethostbyname($h), @gethostbynamel($h)];
         echo json_encode($rows);",
        json!(hosts)
    ));

    let rust: Vec<Value> = hosts
        .iter()
        .map(|host| {
            let all = gethostbynamel(host)
                .map_or(json!(false), |all| all.iter().map(|address| json!(address.to_str())).collect());
            json!([gethostbyname(host).to_str(), all])
        })
        .collect();
    same(&rust, &php, |row| hosts[row].to_owned());
}

/// Every name and alias of `/etc/services`, and every protocol there.
fn services() -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string("/etc/services").expect("/etc/services, of the package netbase");
    let (mut names, mut protocols) =
        (vec![String::new()], vec![String::new(), "TCP".into(), "nosuch".into()]);
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap().split_whitespace();
        let Some(name) = words.next() else { continue };
        names.push(name.to_owned());
        protocols.extend(words.next().and_then(|port| port.split('/').nth(1)).map(str::to_owned));
        names.extend(words.map(str::to_owned));
    }
    names.extend(["nosuch", "HTTP", "80", "http ", "h\u{e9}"].map(str::to_owned));
    for list in [&mut names, &mut protocols] {
        list.sort();
        list.dedup();
    }
    (names, protocols)
}

// [V] 7: the protocol must match; a port of PHP's is cut to 16 bits, of which a u16 has no more.
#[test]
fn services_are_those_of_php() {
    let (names, protocols) = services();
    let ports: Vec<u16> = (0..1100).chain([1433, 3306, 5432, 6667, 8080, 32768, 65535]).collect();

    let php = php_json(&format!(
        "$rows = [];
         foreach (json_decode('{protocols}') as $p) {{
             foreach (json_decode('{names}') as $n) $rows[] = getservbyname($n, $p);
             foreach (json_decode('{ports}') as $n) $rows[] = getservbyport($n, $p);
         }}
         echo json_encode($rows);",
        protocols = json!(protocols),
        names = json!(names),
        ports = json!(ports)
    ));

    let mut rust = Vec::new();
    for protocol in &protocols {
        rust.extend(names.iter().map(|name| getservbyname(name, protocol).map_or(json!(false), Value::from)));
        rust.extend(
            ports.iter().map(|port| getservbyport(*port, protocol).map_or(json!(false), Value::from)),
        );
    }
    same(&rust, &php, |row| format!("row {row} of {names:?} and {ports:?} for each of {protocols:?}"));
    assert!(rust.iter().filter(|row| **row != json!(false)).count() > 500);
}

// [V] 7: what PHP says of a NUL and of a long name, where we say "unknown".
#[test]
fn php_warns_or_throws_where_a_name_is_unknown_to_us() {
    for (call, text, ours) in [
        ("gethostbyname(\"a\\0\")", "Argument #1 ($hostname)", gethostbyname("a\0") == OsStr::new("a\0")),
        ("gethostbynamel(\"a\\0\")", "Argument #1 ($hostname)", gethostbynamel("a\0").is_none()),
        (
            "getservbyname(\"http\\0\", 'tcp')",
            "Argument #1 ($service)",
            getservbyname("http\0", "tcp").is_none(),
        ),
        (
            "getservbyname('http', \"tcp\\0\")",
            "Argument #2 ($protocol)",
            getservbyname("http", "tcp\0").is_none(),
        ),
        ("getservbyport(80, \"tcp\\0\")", "Argument #2 ($protocol)", getservbyport(80, "tcp\0").is_none()),
    ] {
        let function = call.split('(').next().unwrap();
        let thrown = common::php_failure(call).thrown;
        assert_eq!(thrown, Some(format!("{function}(): {text} must not contain any null bytes")));
        assert!(ours, "{call}");
    }
    for function in ["gethostbyname", "gethostbynamel"] {
        let warning = common::php_failure(&format!("{function}(str_repeat('x', 256))")).warning;
        assert_eq!(warning, Some(format!("{function}(): Host name cannot be longer than 255 characters")));
    }
    assert_eq!(common::php("echo getservbyport(65616, 'tcp');"), "http");
}
