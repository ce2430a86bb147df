<?php
// Lesson 17 · unix sockets.
