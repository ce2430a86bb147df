//! The number of a text.

use super::*;

/// PHP 8.2, 8.4 and 8.5 give these by `(int) $text`, and call just these numeric.
#[test]
fn an_infinite_a_huge_and_a_tiny_number_are_those_of_php() {
    for (text, number) in [
        ("1e400", 0),
        ("-1e400", 0),
        ("1E400", 0),
        ("1e-400", 0),
        ("-1e-400", 0),
        ("1e18", 1_000_000_000_000_000_000),
        ("1e19", i64::MAX),
        ("-1e19", i64::MIN),
        ("9223372036854775808", i64::MAX),
        ("-9223372036854775809", i64::MIN),
        ("99999999999999999999999999", i64::MAX),
        ("1.5e3", 1500),
        (".5E1", 5),
        ("+.5e1", 5),
        ("5.", 5),
        ("-1.9", -1),
        (" 12", 12),
        ("12\t\n", 12),
    ] {
        assert_eq!(OptionValue::from(text).number(), Some(number), "{text}");
    }
}

#[test]
fn the_names_of_infinity_and_what_only_begins_as_a_number_are_none() {
    for text in [
        "NAN",
        "NaN",
        "nan",
        "inf",
        "INF",
        "-inf",
        "+infinity",
        "1e400x",
        "0x1A",
        "1e",
        "e5",
        "-",
        ".",
        "",
        " ",
        "1_0",
    ] {
        assert_eq!(OptionValue::from(text).number(), None, "{text}");
    }
}
