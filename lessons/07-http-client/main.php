<?php
// Lesson 07 · the HTTP client.
