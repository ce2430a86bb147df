<?php
// Lesson 15 · the epoll chat.
