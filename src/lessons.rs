//! The course, to be read here: an introduction to sockets, and a text for each lesson. The programs are in the folder
//! `lessons` of the repository, where `make lesson-03` runs one.
//!
#![doc = include_str!("lessons/links.md")]
#![doc = include_str!("../lessons/README.md")]

// links.md says where the links between the texts lead here; of a link that is defined twice, the first counts.
macro_rules! lessons {
    ($($name:ident $folder:literal;)*) => {$(
        #[doc = include_str!("lessons/links.md")]
        #[doc = include_str!(concat!("../lessons/", $folder, "/README.md"))]
        pub mod $name {}
    )*};
}

lessons! {
    lesson_01 "01-first-socket";
    lesson_02 "02-errors";
    lesson_03 "03-the-conversation";
    lesson_04 "04-greeting-server";
    lesson_05 "05-greeting-client";
    lesson_06 "06-reverse-server";
    lesson_07 "07-http-client";
    lesson_08 "08-port-scanner";
    lesson_09 "09-who-is-calling";
    lesson_10 "10-always-on";
    lesson_11 "11-backlog";
    lesson_12 "12-threads";
    lesson_13 "13-select-server";
    lesson_14 "14-options";
    lesson_15 "15-epoll-chat";
    lesson_16 "16-udp";
    lesson_17 "17-unix";
    lesson_18 "18-scatter-gather";
    lesson_19 "19-messages";
    lesson_20 "20-ipv6-and-names";
    lesson_21 "21-ping";
    lesson_22 "22-http-server";
    lesson_23 "23-urgent-data";
    lesson_24 "24-into-rust";
}
