<?php
// Lesson 08 · the port scanner.
