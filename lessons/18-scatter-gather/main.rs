//! Lesson 18 · scatter and gather. Run `make lesson-18`, then its PHP twin with `make php-18`.

fn main() {}
