<?php
// Lesson 04 · the greeting server.
