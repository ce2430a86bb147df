//! Texts of addresses by chance, as PHP takes or refuses them.

use php_sockets::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::common;

#[path = "../models/text.rs"]
mod model;

fn text() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        (0..300_u32).prop_map(|number| number.to_string()),
        any::<u32>().prop_map(|number| number.to_string()),
        (0..300_u32).prop_map(|number| format!("0{number:o}")),
        "[0-9]{1,4}",
    ];
    let dotted = prop::collection::vec(number, 1..5).prop_map(|parts| parts.join("."));
    let six = any::<[u16; 8]>().prop_map(|groups| {
        // Groups of zeros are what the short form is about.
        std::net::Ipv6Addr::from(groups.map(|group| if group % 2 == 0 { 0 } else { group })).to_string()
    });
    let scope = prop_oneof![4 => Just(String::new()), 1 => "%[0-9]{1,3}", 1 => Just("%lo".to_owned()), 1 => "%[a-z]{0,3}"];
    prop_oneof![dotted, (six, scope).prop_map(|(six, scope)| six + &scope)]
}

/// Whether no resolver is asked about it: the answer must not depend on the network.
fn is_settled(family: i32, text: &str) -> bool {
    let address = text.split('%').next().unwrap_or_default();
    match family {
        AF_INET => model::is_digits_and_dots(text.as_bytes()),
        _ => model::inet6_pton(address.as_bytes()).is_some() || model::inet4_pton(text.as_bytes()).is_some(),
    }
}

/// The code of connecting a datagram socket, which sends nothing, and the peer's name.
fn ours(family: i32, text: &str) -> Value {
    let socket = socket_create(family, SOCK_DGRAM, 0).unwrap();
    let _ = socket_connect(&socket, text, 9);
    let code = socket_last_error(&socket);
    let peer = socket_getpeername(&socket).ok().and_then(|name| name.address.as_str().map(str::to_owned));
    serde_json::json!([code, peer])
}

#[test]
fn php_takes_the_same_texts_for_the_same_addresses() {
    let mut runner = TestRunner::deterministic();
    let mut asked = Vec::new();
    while asked.len() < 400 {
        let text = text().new_tree(&mut runner).unwrap().current();
        asked.extend(
            [AF_INET, AF_INET6]
                .map(|family| (family, text.clone()))
                .into_iter()
                .filter(|(family, text)| is_settled(*family, text)),
        );
    }

    let list = serde_json::to_string(&asked).unwrap();
    let php: Vec<Value> = serde_json::from_str(&common::php(&format!(
        "$all = [];
         foreach (json_decode('{list}') as [$family, $text]) {{
             $s = socket_create($family, SOCK_DGRAM, 0);
             @socket_connect($s, $text, 9);
             $code = socket_last_error($s);
             $all[] = [$code, @socket_getpeername($s, $name) ? $name : null];
         }}
         echo json_encode($all);"
    )))
    .unwrap();

    assert_eq!(php.len(), asked.len());
    for ((family, text), php) in asked.iter().zip(php) {
        if *family == AF_INET {
            let refused = php[0].as_i64().is_some_and(|code| code <= -10000);
            assert_eq!(refused, model::inet_aton(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(ours(*family, text), php, "{text} for family {family}");
    }
}
