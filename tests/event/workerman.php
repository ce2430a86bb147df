<?php
// The behaviour of Workerman's Events\Event, for a PHP without the event extension: the same methods on socket_select.
// The script below is that of workerman.rs.
final class Worker
{
    private array $read = [], $write = [], $signals = [], $timers = [];
    private int $id = 0;
    private bool $running = true;

    private function timer(float $after, ?float $every, callable $func): int
    {
        $this->timers[++$this->id] = [microtime(true) + $after, $every, $func];
        return $this->id;
    }

    public function delay(float $delay, callable $func): int { return $this->timer($delay, null, $func); }
    public function repeat(float $every, callable $func): int { return $this->timer($every, $every, $func); }
    public function offDelay(int $id): bool { return self::off($this->timers, $id); }
    public function offRepeat(int $id): bool { return self::off($this->timers, $id); }
    public function onReadable(Socket $s, callable $f): void { $this->read[spl_object_id($s)] = [$s, $f]; }
    public function onWritable(Socket $s, callable $f): void { $this->write[spl_object_id($s)] = [$s, $f]; }
    public function offReadable(Socket $s): bool { return self::off($this->read, spl_object_id($s)); }
    public function offWritable(Socket $s): bool { return self::off($this->write, spl_object_id($s)); }
    public function deleteAllTimer(): void { $this->timers = []; }
    public function getTimerCount(): int { return count($this->timers); }
    public function stop(): void { $this->running = false; }

    public function onSignal(int $signal, callable $func): void
    {
        $this->signals[$signal] = true;
        pcntl_signal($signal, $func, false);
    }

    public function offSignal(int $signal): bool
    {
        pcntl_signal($signal, SIG_DFL);
        return self::off($this->signals, $signal);
    }

    private static function off(array &$events, int $key): bool
    {
        $was = isset($events[$key]);
        unset($events[$key]);
        return $was;
    }

    public function run(): void
    {
        while ($this->running) {
            $next = min(array_column($this->timers, 0));
            $left = max(0, $next - microtime(true));
            [$r, $w, $e] = [array_column($this->read, 0), array_column($this->write, 0), null];
            if ($r || $w) {
                @socket_select($r, $w, $e, (int) $left, (int) (fmod($left, 1) * 1e6));
            } else {
                usleep((int) ($left * 1e6));
            }
            foreach ($r ?: [] as $socket) {
                if (isset($this->read[spl_object_id($socket)])) {
                    $this->read[spl_object_id($socket)][1]($socket);
                }
            }
            foreach ($w ?: [] as $socket) {
                if (isset($this->write[spl_object_id($socket)])) {
                    $this->write[spl_object_id($socket)][1]($socket);
                }
            }
            uasort($this->timers, fn ($a, $b) => $a[0] <=> $b[0]);
            foreach ($this->timers as $id => [$due, $every, $func]) {
                if ($due > microtime(true) || !isset($this->timers[$id])) {
                    continue;
                }
                if ($every === null) {
                    unset($this->timers[$id]);
                } else {
                    $this->timers[$id][0] += $every;
                }
                $func();
            }
            pcntl_signal_dispatch();
        }
    }
}

$say = function (string $text): void { echo $text, "\n"; };
$bool = fn (bool $value): string => $value ? 'true' : 'false';
$worker = new Worker();
socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
[$here, $there] = $pair;

$worker->onReadable($here, function ($socket) use ($worker, $say, $bool) {
    $data = socket_read($socket, 100);
    $say("read $data");
    if ($data === 'bye') {
        $worker->onWritable($socket, function ($socket) use ($worker, $say, $bool) {
            $say('writable ' . $bool($worker->offWritable($socket)));
        });
        $say('off ' . $bool($worker->offReadable($socket)));
        $say('off ' . $bool($worker->offReadable($socket)));
    }
});
foreach ([[0.030, 'hello'], [0.090, 'bye'], [0.150, 'unheard']] as [$after, $text]) {
    $worker->delay($after, function () use ($there, $say, $text) {
        $say("write $text");
        socket_write($there, $text);
    });
}
$count = 0;
$tick = $worker->repeat(0.060, function () use (&$tick, &$count, $worker, $say, $bool) {
    $say('tick ' . ++$count);
    if ($count === 3) {
        $say('off ' . $bool($worker->offRepeat($tick)) . ' ' . $bool($worker->offRepeat($tick)));
    }
});
$never = $worker->delay(0.070, fn () => exit('it is off'));
$say('timers ' . $worker->getTimerCount());
$say('off ' . $bool($worker->offDelay($never)) . ' ' . $bool($worker->offDelay($never)));
$worker->onSignal(SIGUSR2, fn (int $signal) => $say("signal $signal " . $bool($worker->offSignal($signal))));
$worker->delay(0.210, fn () => posix_kill(posix_getpid(), SIGUSR2));
$worker->delay(0.250, function () use ($worker, $say) {
    $say('timers ' . $worker->getTimerCount());
    $worker->deleteAllTimer();
    $say('timers ' . $worker->getTimerCount());
    $worker->stop();
});
$worker->delay(60.0, fn () => exit('the loop is over'));
$worker->run();
$say('end');
