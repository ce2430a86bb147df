<?php
// Lesson 13 · the select server.
