//! Lesson 21 beyond its demo.
