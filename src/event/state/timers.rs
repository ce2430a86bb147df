//! Time-outs: a heap of deadlines. A deadline that moves later is only noted in its event, and its node moves when it
//! comes up; so pushing back the time-out of every connection costs no sorting.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::TIMEOUT;
use super::super::table::Table;
use super::State;

/// A node: when, in which order among equal times, and whose.
type Node = (u64, u64, u32);

#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Node>>,
    /// How many time-outs run. A node can be void.
    pub(super) running: usize,
    /// How many nodes are void: their events have earlier nodes, or are gone.
    pub(super) void: usize,
    count: u64,
    /// Whether the base has ever used a time.
    pub(super) used: bool,
}

/// The nodes that may be void without need to be counted.
const FEW: usize = 64;

impl Timers {
    pub(super) fn first(&self) -> Option<Node> {
        self.heap.peek().map(|node| node.0)
    }
}

fn is_valid(table: &mut Table, (at, order, index): Node) -> bool {
    table.at(index).is_some_and(|entry| entry.node == (at, order))
}

impl State {
    /// Begins a time-out, or gives the one that runs another end.
    pub(super) fn schedule(&mut self, index: u32, at: u64) {
        let Some(entry) = self.table.at(index) else { return };
        let timers = &mut self.timers;
        timers.count += 1;
        timers.used = true;
        self.plain = false;
        (entry.deadline, entry.order) = (at, timers.count);
        timers.running += usize::from(!entry.timed);
        entry.timed = true;
        let filed = entry.node.1 != 0;
        if filed && entry.node.0 <= at {
            return;
        }
        timers.void += usize::from(filed);
        entry.node = (at, timers.count);
        timers.heap.push(Reverse((at, timers.count, index)));
        if timers.void > FEW + timers.heap.len() / 2 {
            timers.heap.retain(|node| is_valid(&mut self.table, node.0));
            timers.void = 0;
        }
    }

    /// Ends a time-out. Its node stays until it comes up or the event is gone.
    pub(super) fn unschedule(&mut self, index: u32) {
        if let Some(entry) = self.table.at(index).filter(|entry| entry.timed) {
            entry.timed = false;
            self.timers.running -= 1;
        }
    }

    /// Whether the first node is a time-out's end, and not one that has moved.
    pub(super) fn first_is_true(&mut self) -> bool {
        let Some((at, order, index)) = self.timers.first() else { return true };
        let entry = self.table.at(index).filter(|entry| entry.node == (at, order));
        entry.is_some_and(|entry| entry.timed && entry.order == order)
    }

    /// Takes the first node out; an event whose deadline has moved gets another one.
    pub(super) fn refile_first(&mut self) {
        let Some(Reverse((at, order, index))) = self.timers.heap.pop() else { return };
        let Some(entry) = self.table.at(index).filter(|entry| entry.node == (at, order)) else {
            self.timers.void = self.timers.void.saturating_sub(1);
            return;
        };
        if entry.timed && entry.order != order {
            entry.node = (entry.deadline, entry.order);
            self.timers.heap.push(Reverse((entry.deadline, entry.order, index)));
        } else {
            entry.node = (0, 0);
        }
    }

    /// Queues the events whose time has come. They are deleted first, as in libevent: that drops the other bits that
    /// were reported for them. A persistent event is added anew before its callback.
    pub(super) fn expire(&mut self, now: u64) {
        while let Some((_, _, index)) = self.timers.first().filter(|(at, _, _)| *at <= now) {
            let due = self.first_is_true();
            self.refile_first();
            if due {
                self.end(index, false);
                self.activate(index, TIMEOUT);
            }
        }
    }
}
