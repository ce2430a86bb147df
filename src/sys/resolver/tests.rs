//! Which texts are addresses, and what the scope of one is.

use proptest::prelude::*;

use super::*;
use crate::inside::{self, text as model};

#[test]
fn a_scope_is_a_number_or_the_name_of_an_interface() {
    assert_eq!(scope(b"fe80::1%7"), 7);
    assert_eq!(scope(b"fe80::1%lo"), if_nametoindex(b"lo"));
    assert_ne!(scope(b"fe80::1%lo"), 0);
    assert_eq!(scope(b"fe80::1%4294967295"), u32::MAX);
}

#[test]
fn an_address_without_a_scope_or_with_an_unknown_one_has_scope_0() {
    for address in [&b"fe80::1"[..], b"fe80::1%", b"fe80::1%0", b"fe80::1%nosuch0", b"%\0", b""] {
        assert_eq!(scope(address), 0, "{}", String::from_utf8_lossy(address));
    }
}

/// Texts that look like addresses of IPv4, and some that hardly do.
fn dotted() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        (0..300_u32).prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<u32>().prop_map(|number| format!("0{number:o}")),
        "[0-9]{0,4}",
    ];
    prop_oneof![prop::collection::vec(number, 1..6).prop_map(|parts| parts.join(".")), "[0-9.x ]{0,20}"]
}

/// Texts that look like addresses of IPv6.
fn coloned() -> impl Strategy<Value = String> {
    let group = prop_oneof![4 => "[0-9a-fA-F]{1,4}", 1 => "[0-9a-f]{0,5}", 1 => dotted()];
    let colon = prop_oneof![5 => Just(":"), 1 => Just("::"), 1 => Just("")];
    prop_oneof![
        any::<[u16; 8]>().prop_map(|groups| std::net::Ipv6Addr::from(groups).to_string()),
        prop::collection::vec((group, colon), 0..10).prop_map(|parts| parts
            .into_iter()
            .flat_map(|(group, colon)| [group, colon.to_owned()])
            .collect()),
        "[0-9a-f:.%]{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn a_dotted_quad_is_what_inet_pton_takes(text in dotted()) {
        let numeric = numeric(text.as_bytes(), &mut [0; NUMERIC_MAX]).and_then(sockaddr::inet_pton::<4>);
        prop_assert_eq!(numeric, model::inet4_pton(text.as_bytes()));
    }

    #[test]
    fn an_ipv6_address_is_what_inet_pton_takes(text in coloned()) {
        let numeric = numeric(text.as_bytes(), &mut [0; NUMERIC_MAX]).and_then(sockaddr::inet_pton::<16>);
        prop_assert_eq!(numeric, model::inet6_pton(text.as_bytes()));
    }

    #[test]
    fn digits_and_dots_mean_what_inet_aton_says(text in dotted()) {
        if model::is_digits_and_dots(text.as_bytes()) {
            let address = inet(text.as_bytes());
            prop_assert_eq!(address.ok(), model::inet_aton(text.as_bytes()));
        }
    }

    #[test]
    fn a_text_means_the_address_that_inet_aton_or_inet_pton_says_with_its_scope(
        text in prop_oneof![dotted(), coloned()],
        scope in prop::option::of(prop_oneof![any::<u32>().prop_map(|number| number.to_string()), "[a-z0-9%]{0,9}"]),
    ) {
        let scope = scope.map(|scope| format!("%{scope}")).unwrap_or_default();
        inside::text(format!("{text}{scope}").as_bytes());
    }
}

#[test]
fn the_longest_text_of_an_address_is_a_number_and_one_more_byte_is_not() {
    let longest = b"0000:0000:0000:0000:0000:ffff:255.255.255.255";
    assert_eq!(longest.len(), 45);
    let read = |text: &[u8]| numeric(text, &mut [0; NUMERIC_MAX]).and_then(sockaddr::inet_pton::<16>);

    assert_eq!(read(longest), model::inet6_pton(longest));
    assert!(read(longest).is_some());
    assert!(numeric(&[b'0'; 46], &mut [0; NUMERIC_MAX]).is_none());
    assert!(numeric(&[b'0'; 47], &mut [0; NUMERIC_MAX]).is_none());
    assert!(numeric(b"::1\0", &mut [0; NUMERIC_MAX]).is_none());
}
