//! The table of `make torture`.

use std::collections::BTreeMap;
use std::fmt;

use crate::common::codes;
use crate::scenarios::{self, Scenario};

/// The subject of a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// The place of the scenario among all of them.
    order: Option<usize>,
    function: &'static str,
    path: &'static str,
    call: String,
}

impl Row {
    pub(crate) fn new(scenario: &Scenario, call: &str) -> Row {
        Row {
            order: scenarios::all().position(|other| std::ptr::eq(other, scenario)),
            function: scenario.function,
            path: scenario.path,
            call: codes::usual_name(call).to_owned(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Table {
    /// Faults tried and survived.
    rows: BTreeMap<Row, (usize, usize)>,
    lost: Vec<String>,
}

impl Table {
    pub(crate) fn add(&mut self, row: Row, what: &str, verdict: &Result<(), String>) {
        if let Err(why) = verdict {
            self.lost.push(format!("{}, {}, {}: {what}: {why}", row.function, row.path, row.call));
        }
        let (tried, survived) = self.rows.entry(row).or_default();
        *tried += 1;
        *survived += usize::from(verdict.is_ok());
    }

    /// A scenario without a system call.
    pub(crate) fn none(&mut self, scenario: &Scenario) {
        self.rows.entry(Row::new(scenario, "none")).or_default();
    }

    pub(crate) fn lost(&self) -> &[String] {
        &self.lost
    }

    pub(crate) fn tried(&self) -> usize {
        self.rows.values().map(|(tried, _)| tried).sum()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |function: &str, path: &str, call: &str, counts: [&str; 3]| {
            let [tried, survived, lost] = counts;
            writeln!(f, "{function:33} {path:30} {call:13} {tried:>5} {survived:>8} {lost:>4}")
        };
        line("function", "path", "system call", ["tried", "survived", "lost"])?;
        let mut last = ("", "");
        for (row, (tried, survived)) in &self.rows {
            let function = if row.function == last.0 { "" } else { row.function };
            let path = if (row.function, row.path) == last { "" } else { row.path };
            last = (row.function, row.path);
            let counts = [*tried, *survived, tried - survived].map(|count| count.to_string());
            line(function, path, &row.call, [&counts[0], &counts[1], &counts[2]])?;
        }
        let tried = self.tried();
        let survived = tried - self.lost.len();
        let counts = [tried, survived, self.lost.len()].map(|count| count.to_string());
        line("total", "", "", [&counts[0], &counts[1], &counts[2]])
    }
}
