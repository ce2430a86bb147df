//! Every lesson, played: the program and its PHP twin against `expected.txt`, the transcript and the list of system
//! calls in its README against the real thing, and the programs of the README.

#[path = "../common/mod.rs"]
mod common;
#[path = "../stage/mod.rs"]
mod stage;
#[path = "../common/watchdog.rs"]
mod watchdog;

/// Every test, for the program of a lesson and for its twin in PHP: `both! { "04"; a_test another }`.
macro_rules! both {
    ($number:literal; $($test:ident)*) => {
        mod in_rust {
            use crate::stage::twin::{Program, Twin};
            $(#[test] fn $test() { super::$test(&Program::of($number, Twin::Rust)); })*
        }
        mod in_php {
            use crate::stage::twin::{Program, Twin};
            $(#[test] fn $test() { super::$test(&Program::of($number, Twin::Php)); })*
        }
    };
}

#[allow(dead_code, reason = "tests/functions uses the rest")]
mod compiler;
mod demo;
mod lesson_01;
mod lesson_02;
mod lesson_03;
mod lesson_04;
mod lesson_05;
mod lesson_06;
mod lesson_07;
mod lesson_08;
mod lesson_09;
mod lesson_10;
mod lesson_11;
mod lesson_12;
mod lesson_13;
mod lesson_14;
mod lesson_15;
mod lesson_16;
mod lesson_17;
mod lesson_18;
mod lesson_19;
mod lesson_20;
mod lesson_21;
mod lesson_22;
mod lesson_23;
mod lesson_24;
mod make;
mod readme;
mod text;
