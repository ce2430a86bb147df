<?php
// Lesson 06 · the reverse server.
