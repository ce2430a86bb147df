<?php
// Lesson 22 · the HTTP server.
