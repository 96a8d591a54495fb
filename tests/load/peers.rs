//! The other processes of a bench: what Pintle delivers to, and what it is compared with.

use crate::pintle::sibling;
use crate::processes;
use anyhow::{Context, anyhow, bail};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// glibc would give every large buffer back to the system at once; Pintle's allocator does not, and the
/// baselines should not suffer for it.
const MALLOC: [(&str, &str); 2] = [("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "1073741824")];

/// A process that says something on its standard output. Killed when this is dropped.
#[derive(Debug)]
pub struct Peer {
    name: String,
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// This program in another role.
    pub fn role(args: &[&str]) -> anyhow::Result<Peer> {
        Peer::start(std::env::current_exe()?.as_ref(), args)
    }

    /// The store's example `baseline`.
    pub fn baseline(args: &[&str]) -> anyhow::Result<Peer> {
        Peer::start(&sibling("PINTLE_BASELINE", "examples/baseline")?, args)
    }

    /// The runtime's example `bare`.
    pub fn bare(args: &[&str]) -> anyhow::Result<Peer> {
        Peer::start(&sibling("PINTLE_BARE", "examples/bare")?, args)
    }

    /// Node.
    pub fn node(args: &[&str]) -> anyhow::Result<Peer> {
        Peer::start("node".as_ref(), args)
    }

    fn start(program: &Path, args: &[&str]) -> anyhow::Result<Peer> {
        let name = format!("{} {}", program.display(), args.join(" "));
        let mut child = Command::new(program)
            .args(args)
            .envs(MALLOC)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = BufReader::new(child.stdout.take().context("its output was asked for")?);
        Ok(Peer { name, child, output })
    }

    /// The next line it says. Blocks: there is nothing else to do meanwhile.
    pub fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("{} ended early: {}", self.name, self.child.wait()?);
        }
        Ok(line.trim().to_owned())
    }

    /// The next line, of numbers.
    pub fn numbers<const N: usize>(&mut self) -> anyhow::Result<[f64; N]> {
        let line = self.line()?;
        let numbers: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        numbers.try_into().map_err(|_| anyhow!("{} said: {line}", self.name))
    }

    /// Where it listens, which it says first.
    pub fn address(&mut self) -> anyhow::Result<SocketAddr> {
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, self.line()?.parse()?)))
    }

    /// CPU time so far.
    pub fn cpu_us(&self) -> anyhow::Result<u64> {
        processes::cpu_us(self.child.id()).with_context(|| self.name.clone())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // One that has ended is not there any more to be killed.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// What a run of `baseline` did between its lines `begin` and `end`.
#[derive(Clone, Copy, Debug)]
pub struct Did {
    pub events_per_second: f64,
    pub cpu_us_per_event: f64,
    pub postgres_cpu_us_per_event: f64,
}

/// Runs a mode of `baseline` that writes to a Postgres of its own in `dir`.
pub fn run_baseline(mode: &str, dir: &Path, events: &Path, args: &[String]) -> anyhow::Result<Did> {
    let (dir_text, events) = (dir.to_string_lossy(), events.to_string_lossy());
    let mut all = vec![mode, &dir_text, &events];
    all.extend(args.iter().map(String::as_str));
    let mut peer = Peer::baseline(&all)?;
    let cluster = dir.join("cluster");
    let mut cpu = || -> anyhow::Result<_> {
        let line = peer.line()?;
        Ok((line, peer.cpu_us()?, processes::postgres_cpu_us(&cluster)?))
    };
    let (_, own_before, postgres_before) = cpu()?;
    let (end, own_after, postgres_after) = cpu()?;
    let mut words = end.split_whitespace().skip(1);
    let mut number = || -> anyhow::Result<f64> { Ok(words.next().context("baseline said too little")?.parse()?) };
    let (events, seconds) = (number()?, number()?);
    Ok(Did {
        events_per_second: events / seconds,
        cpu_us_per_event: (own_after - own_before) as f64 / events,
        postgres_cpu_us_per_event: (postgres_after - postgres_before) as f64 / events,
    })
}
