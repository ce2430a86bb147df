//! Lesson 04 beyond its demo.
