//! Lesson 08 beyond its demo.
