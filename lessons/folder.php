<?php
// A folder of the lesson's own, for its files. In the shared one for temporary files others can put a link under any name
// that they guess, and a program that opens it opens what they want.

/** Its path. It goes, with all that is in it, when the script ends. */
function private_folder(string $lesson): string
{
    $folder = sys_get_temp_dir() . "/$lesson-" . bin2hex(random_bytes(4));
    // For its owner alone. A warning if there is something of this name, a link too.
    mkdir($folder, 0700);
    register_shutdown_function(function () use ($folder) {
        foreach (array_diff(scandir($folder), ['.', '..']) as $name) {
            unlink("$folder/$name");
        }
        rmdir($folder);
    });
    return $folder;
}
