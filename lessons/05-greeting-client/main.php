<?php
// Lesson 05 · the greeting client.
