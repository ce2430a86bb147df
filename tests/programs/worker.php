<?php
// A worker that receives its listening socket. Run `worker.php master PATH`, then `worker.php worker PATH`.
[, $role, $path] = $argv;

if ($role === 'master') {
    $listener = socket_create_listen(0);
    socket_getsockname($listener, $address, $port);

    $door = socket_create(AF_UNIX, SOCK_STREAM, 0);
    socket_bind($door, $path);
    socket_listen($door, 1);
    echo "master: waiting for a worker\n";
    $worker = socket_accept($door);

    // PHP (but 8.4.27) sends a wrong descriptor for a Socket, and the right one for a stream.
    $stream = socket_export_stream($listener);
    $sent = socket_sendmsg($worker, [
        'iov' => ['serve ', 'one client'],
        'control' => [['level' => SOL_SOCKET, 'type' => SCM_RIGHTS, 'data' => [$stream]]],
    ]);
    echo "master: sent $sent bytes and the listening socket\n";
    socket_close($listener);

    $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_connect($client, '127.0.0.1', $port);
    socket_write($client, "who is there?\n");
    $answer = socket_read($client, 1000, PHP_NORMAL_READ);
    echo 'master: the answer is ', trim($answer), "\n";
}

if ($role === 'worker') {
    $master = socket_create(AF_UNIX, SOCK_STREAM, 0);
    socket_connect($master, $path);

    $message = ['controllen' => socket_cmsg_space(SOL_SOCKET, SCM_RIGHTS, 1), 'buffer_size' => 1000];
    $count = socket_recvmsg($master, $message);
    echo "worker: received $count bytes: {$message['iov'][0]}\n";
    foreach ($message['control'] as $control) {
        echo 'worker: received ', count($control['data']), " descriptor\n";

        foreach ($control['data'] as $listener) {
            $client = socket_accept($listener);
            $question = socket_read($client, 1000, PHP_NORMAL_READ);
            echo 'worker: a client asks ', trim($question), "\n";
            socket_write($client, "the worker\n");
        }
    }
}
