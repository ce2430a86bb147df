//! Lesson 18 beyond its demo.
