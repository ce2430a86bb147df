//! Lesson 14 beyond its demo.
