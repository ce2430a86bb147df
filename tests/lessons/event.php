<?php
// Stands in for PHP's event extension where there is none: as much of EventBase and Event as lesson 15 uses, on
// socket_select. It runs the lesson's twin; what the extension itself does is not shown by it, but for one thing: there
// an event that is freed after its base uses memory that is free already. Here that is said, with exit status 139.
if (class_exists('EventBase')) {
    return;
}

final class EventBase
{
    /** @var array<int, WeakReference<Event>> an event that no variable has any more is freed, and waits no more */
    public array $pending = [];
    /** The one fact that its events know when it is gone: `alive`. */
    public readonly stdClass $state;
    private bool $stopped = false;
    private bool $exited = false;

    public function __construct()
    {
        $this->state = (object) ['alive' => true];
    }

    public function __destruct()
    {
        $this->state->alive = false;
    }

    public function dispatch(): bool
    {
        $this->stopped = $this->exited = false;
        while (!$this->exited && !$this->stopped) {
            $this->round();
        }
        return true;
    }

    private function round(): void
    {
        $read = $write = $timers = [];
        $except = null;
        $until = null;
        foreach ($this->pending as $id => $reference) {
            $event = $reference->get();
            if ($event->what & Event::SIGNAL) {
                continue;
            }
            if ($event->what & Event::TIMEOUT) {
                $timers[$id] = $event;
                $until = min($until ?? INF, $event->due);
            } elseif ($event->what & Event::READ) {
                $read[$id] = $event->fd;
            } else {
                $write[$id] = $event->fd;
            }
        }
        // A signal ends the wait, but for one that comes right before it: so no wait is long.
        $left = min(1.0, max(0.0, ($until ?? INF) - microtime(true)));
        @socket_select($read, $write, $except, (int) $left, (int) (fmod($left, 1) * 1e6));
        $read = is_array($read) ? $read : [];
        foreach (array_keys($read + $write) as $id) {
            if (!$this->stopped && isset($this->pending[$id])) {
                $event = $this->pending[$id]->get();
                ($event->callback)();
            }
        }
        foreach ($timers as $id => $event) {
            if (!$this->stopped && isset($this->pending[$id]) && $event->due <= microtime(true)) {
                $event->del();
                ($event->callback)();
            }
        }
    }

    public function exit(): bool
    {
        return $this->exited = true;
    }

    public function stop(): bool
    {
        return $this->stopped = true;
    }

    public function gotStop(): bool
    {
        return $this->stopped;
    }
}

final class Event
{
    public const TIMEOUT = 1;
    public const READ = 2;
    public const WRITE = 4;
    public const SIGNAL = 8;
    public const PERSIST = 16;
    public float $due = INF;
    public Closure $callback;
    /** It does not keep its base. */
    private WeakReference $base;
    private stdClass $state;
    private bool $freed = false;

    public function __construct(EventBase $base, public mixed $fd, public int $what, callable $callback)
    {
        [$this->base, $this->state] = [WeakReference::create($base), $base->state];
        $this->callback = $callback(...);
    }

    public function __destruct()
    {
        $this->free();
    }

    public static function timer(EventBase $base, callable $callback): Event
    {
        return new Event($base, -1, Event::TIMEOUT, $callback);
    }

    public static function signal(EventBase $base, int $signal, callable $callback): Event
    {
        pcntl_async_signals(true);
        // Without SA_RESTART the signal ends select.
        pcntl_signal($signal, fn () => $callback(), false);
        return new Event($base, -1, Event::SIGNAL, $callback);
    }

    public function add(float $timeout = -1): bool
    {
        $this->due = $timeout < 0 ? INF : microtime(true) + $timeout;
        $this->base->get()->pending[spl_object_id($this)] = WeakReference::create($this);
        return true;
    }

    public function del(): bool
    {
        unset($this->base->get()->pending[spl_object_id($this)]);
        return true;
    }

    public function free(): void
    {
        if (!$this->freed && !$this->state->alive) {
            fwrite(STDERR, "An event outlives its base.\n");
            exit(139);
        }
        if (!$this->freed) {
            $this->del();
        }
        $this->freed = true;
    }
}
