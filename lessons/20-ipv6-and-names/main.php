<?php
// Lesson 20 · iPv6 and names.
