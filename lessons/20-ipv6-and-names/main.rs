//! Lesson 20 · iPv6 and names. Run `make lesson-20`, then its PHP twin with `make php-20`.

fn main() {}
