//! Lesson 12 beyond its demo.
