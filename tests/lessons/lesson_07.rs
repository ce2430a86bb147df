//! Lesson 07 beyond its demo.
