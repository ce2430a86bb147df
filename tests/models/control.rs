//! The laws of any bytes that are read as control messages.

use crate::message::{Reader, ReceivedControl};

/// The bytes of a header.
const HEADER: usize = 16;

/// The reader stays within the bytes, and reads each at most once.
pub(crate) fn holds(bytes: &[u8]) {
    let mut taken = 0;
    for found in Reader::new(bytes) {
        taken += HEADER + found.data.len();
        assert!(taken <= bytes.len(), "no byte is handed out twice");
        let at = found.data.as_ptr() as usize - bytes.as_ptr() as usize;
        assert!(at + found.data.len() <= bytes.len(), "nothing lies behind the end");
        if let Some(rights) = found.rights() {
            let count = rights.inspect(|fd| assert!(*fd >= 0)).count();
            assert!(count <= found.data.len() / 4);
        }
        match found.value() {
            ReceivedControl::Raw { level, r#type, data } => {
                assert_eq!((level, r#type, data), (found.level, found.kind, found.data));
            }
            ReceivedControl::Rights(_) => panic!("descriptors stay raw here"),
            _ => assert!(found.data.len() >= 4),
        }
    }
}
