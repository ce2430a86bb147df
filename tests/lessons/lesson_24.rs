//! Lesson 24 beyond its demo.
