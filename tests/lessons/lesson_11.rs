//! Lesson 11 beyond its demo.
