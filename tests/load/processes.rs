//! CPU time and memory of other processes, from `/proc`.

use anyhow::{Context, anyhow};
use std::fs;
use std::path::Path;

/// CPU time that a process has used, all its threads, without its children.
pub fn cpu_us(pid: u32) -> anyhow::Result<u64> {
    let stat = Stat::read(pid).with_context(|| format!("process {pid} is gone"))?;
    Ok(stat.own * tick_us())
}

/// CPU time of the Postgres in that cluster folder: the postmaster, its children that live, and those it has
/// already buried.
pub fn postgres_cpu_us(cluster: &Path) -> anyhow::Result<u64> {
    let pid = postmaster(cluster)?;
    let postmaster = Stat::read(pid).with_context(|| format!("postgres, process {pid}, is gone"))?;
    let mut ticks = postmaster.own + postmaster.buried;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that ends while we look is counted with the buried ones next time.
        if let Some(stat) = Stat::read(child)
            && stat.parent == pid
        {
            ticks += stat.own + stat.buried;
        }
    }
    Ok(ticks * tick_us())
}

/// The postmaster of that cluster folder.
pub fn postmaster(cluster: &Path) -> anyhow::Result<u32> {
    let path = cluster.join("postmaster.pid");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    text.lines()
        .next()
        .and_then(|line| line.trim().parse().ok())
        .ok_or_else(|| anyhow!("{} names no process", path.display()))
}

/// Resident memory.
pub fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmRSS:")
}

/// The most resident memory since the start, or since [`forget_peak`].
pub fn peak_bytes(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmHWM:")
}

/// Lets the peak begin at what is resident now.
pub fn forget_peak(pid: u32) -> anyhow::Result<()> {
    Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

fn memory(pid: u32, name: &'static str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// What `/proc/PID/stat` says of CPU time, in ticks.
struct Stat {
    parent: u32,
    own: u64,
    buried: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Stat> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before it may hold spaces and brackets.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Stat {
            parent: u32::try_from(number(1)?).ok()?,
            own: number(11)? + number(12)?,
            buried: number(13)? + number(14)?,
        })
    }
}

fn tick_us() -> u64 {
    // SAFETY: a plain query without arguments in memory.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    1_000_000 / u64::try_from(per_second).unwrap_or(100).max(1)
}
