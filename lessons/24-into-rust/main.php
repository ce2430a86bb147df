<?php
// Lesson 24 · into Rust.
