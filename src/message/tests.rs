//! Names that come and go: any bytes of a kernel, any path of a caller.

use proptest::prelude::*;

use crate::inside::address as model;

/// An address whose bytes are often those that matter: NULs, a family, the ends of a path.
fn bytes() -> impl Strategy<Value = [u8; model::LEN]> {
    let byte = prop_oneof![3 => any::<u8>(), 1 => Just(0), 1 => Just(0xFF)];
    let family = prop_oneof![0..20_u16, any::<u16>()];
    (prop::collection::vec(byte, model::LEN), family, prop::option::of(2..model::LEN)).prop_map(
        |(bytes, family, zeros)| {
            let mut bytes: [u8; model::LEN] = bytes.try_into().expect("as many as were asked for");
            bytes[..2].copy_from_slice(&family.to_ne_bytes());
            bytes[zeros.unwrap_or(model::LEN)..].fill(0);
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn whatever_address_the_kernel_writes_can_be_sent_back(bytes in bytes()) {
        model::holds(&bytes);
    }

    #[test]
    fn a_path_goes_to_the_kernel_up_to_its_end(
        path in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(0)], 0..120),
    ) {
        model::path_holds(&path);
    }

    #[test]
    fn a_path_without_a_nul_goes_whole_up_to_107_bytes(path in prop::collection::vec(1..=255_u8, 100..112)) {
        model::path_holds(&path);
    }
}

#[test]
fn a_path_of_108_bytes_without_a_nul_is_read_whole_and_not_taken_back() {
    let mut bytes = [0xFF; model::LEN];
    for end in [109, 110] {
        bytes[end] = 0;
        model::holds(&bytes);
        bytes[end] = 0xFF;
    }
}
