//! Lesson 05 beyond its demo.
