//! Lesson 02 beyond what it prints.
