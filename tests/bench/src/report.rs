//! Tables, in Markdown, and the list of what holds.

use crate::counts::Counts;
use crate::peers::C_NAME;
use crate::times::Times;

/// The report that is printed, and how many of the targets hold.
#[derive(Default)]
pub(crate) struct Report {
    held: usize,
    missed: Vec<String>,
    section: String,
    /// Whether the section's list has begun.
    listing: bool,
}

impl Report {
    pub(crate) fn section(&mut self, title: &str) {
        println!("\n## {title}\n");
        title.clone_into(&mut self.section);
        self.listing = false;
    }

    /// One line for a target: `ours` is the figure, as text.
    pub(crate) fn target(&mut self, target: &str, ours: &str, holds: bool) {
        if !std::mem::replace(&mut self.listing, true) {
            println!();
        }
        println!("- {}: {target}; ours: {ours}", if holds { "holds" } else { "MISSED" });
        if holds {
            self.held += 1;
        } else {
            self.missed.push(format!("{}: {target}; ours: {ours}", self.section));
        }
    }

    pub(crate) fn summary(&self, kind: &str) {
        println!("- {kind}: {} of {} targets hold", self.held, self.held + self.missed.len());
        for missed in &self.missed {
            println!("  - MISSED: {missed}");
        }
    }
}

/// The peers' counts; resident bytes where they were measured.
pub(crate) fn counts(operation: &str, rows: &[(&str, Counts)], resident: Option<&[f64]>) {
    let mut table = vec![vec![
        "who".to_owned(),
        format!("instructions {operation}"),
        "to C".to_owned(),
        "allocations".to_owned(),
        "system calls".to_owned(),
        "which calls".to_owned(),
    ]];
    if resident.is_some() {
        table[0].insert(3, "bytes a connection".to_owned());
    }
    // W5 has no server on plain libc: libevent in C, its first row, is its C.
    let c = rows.iter().find(|(name, _)| *name == C_NAME).or(rows.first());
    let c = c.map_or(f64::NAN, |(_, counts)| counts.instructions);
    for (place, (name, counts)) in rows.iter().enumerate() {
        let names: Vec<String> =
            counts.calls.iter().map(|(name, count)| format!("{} {name}", short(*count))).collect();
        let mut row = vec![
            (*name).to_owned(),
            whole(counts.instructions),
            format!("{:.2}", counts.instructions / c),
            short(counts.allocations),
            short(counts.all_calls()),
            names.join(", "),
        ];
        if let Some(resident) = resident {
            row.insert(3, whole(resident[place]));
        }
        table.push(row);
    }
    print(&table);
}

pub(crate) fn times(rows: &[Times], cpu: bool) {
    let mut header =
        vec!["who", "µs each", "a second", "µs to C: median", "its 95 %", "lower quartile", "upper quartile"];
    if cpu {
        header.extend(["server's CPU, µs", "CPU to C: median"]);
    }
    let mut table: Vec<Vec<String>> = vec![header.into_iter().map(str::to_owned).collect()];
    for row in rows {
        let [low, middle, high] = row.wall_ratio.map(|ratio| format!("{ratio:.3}"));
        let range = row.range.map(|ratio| format!("{ratio:.3}")).join(" to ");
        let mut cells = vec![
            row.name.clone(),
            format!("{:.2}", row.wall),
            whole(1e6 / row.wall),
            middle,
            range,
            low,
            high,
        ];
        if cpu {
            cells.extend([format!("{:.2}", row.cpu), format!("{:.3}", row.cpu_ratio[1])]);
        }
        table.push(cells);
    }
    print(&table);
}

/// A number without a fraction, its thousands set apart.
pub(crate) fn whole(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = if number.round() < 0.0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with as much of a fraction as it has, two digits at most.
pub(crate) fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn print(table: &[Vec<String>]) {
    let widths: Vec<usize> = (0..table[0].len())
        .map(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for (number, row) in table.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("| {} |", cells.join(" | "));
        if number == 0 {
            let lines: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            println!("| {} |", lines.join(" | "));
        }
    }
}
