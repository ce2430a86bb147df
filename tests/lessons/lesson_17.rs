//! Lesson 17 beyond its demo.
