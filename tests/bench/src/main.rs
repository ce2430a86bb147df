//! Runs the crate beside C, PHP and its peers, and prints tables. README.md beside this package says how to read them.

use std::io::Result;
use std::process::Command;
use std::time::Instant;

mod counting;
mod counts;
mod load;
mod peers;
mod player;
mod process;
mod report;
mod targets;
mod times;
mod timing;

use process::{cores, raise_descriptors};
use report::Report;

/// The descriptors of a server or a load beside those of the clients, valgrind's included.
const BESIDE: usize = 100;

/// How much to measure.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    /// Everything in a minute.
    quick: bool,
    /// The clients of the largest server: 10,000, or what the limit of open descriptors leaves.
    crowd: usize,
}

fn main() -> Result<()> {
    let begin = Instant::now();
    let quick = std::env::var_os("QUICK").is_some_and(|value| !value.is_empty() && value != "0");
    let extent = Extent { quick, crowd: raise_descriptors().saturating_sub(BESIDE).min(10_000) };
    peers::compile()?;
    println!("# php-sockets beside C, PHP and its peers\n\n{}", machine(quick)?);

    let mut counted = Report::default();
    counting::all(extent, &mut counted)?;
    let mut timed = Report::default();
    timing::all(extent, &mut timed)?;

    println!("\n## Summary\n");
    counted.summary("counts");
    timed.summary("times");
    println!("\nMeasured in {} seconds.", begin.elapsed().as_secs());
    Ok(())
}

/// The machine and the versions that the numbers depend on.
fn machine(quick: bool) -> Result<String> {
    let said = |program: &str, argument: &str| -> Result<String> {
        let output = Command::new(program).arg(argument).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
    };
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    Ok(format!(
        "- `make bench{}` on {}\n- {}, {} cores, {}\n- {}\n- {}\n- {}",
        if quick { " QUICK=1" } else { "" },
        said("date", "+%Y-%m-%d")?,
        model.unwrap_or(std::env::consts::ARCH),
        cores().len(),
        said("uname", "-srm")?,
        said("rustc", "--version")?,
        said("cc", "--version")?,
        said(&peers::php(), "--version")?,
    ))
}
