//! `pintle import --check`.

use super::plain;
use pintle_catalog::rudder::{Ignored, Item, Off};
use pintle_catalog::{Catalog, DestinationState, Loaded};
use serde::Serialize;
use std::io::{self, Write};

/// What a file would do.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    /// `rudderstack` or `pintle`.
    kind: &'static str,
    works: Vec<Item>,
    off: Vec<Off>,
    ignored: Vec<Ignored>,
}

impl Checked {
    pub(crate) fn of(loaded: &Loaded) -> Checked {
        match &loaded.report {
            Some(report) => Checked {
                kind: "rudderstack",
                works: report.works.clone(),
                off: report.off.clone(),
                ignored: report.ignored.clone(),
            },
            None => own(&loaded.catalog),
        }
    }

    pub(crate) fn all_on(&self) -> bool {
        self.off.is_empty()
    }
}

/// Pintle's own file ignores nothing; it can only say that something is to be off.
fn own(catalog: &Catalog) -> Checked {
    let mut checked = Checked { kind: "pintle", works: vec![], off: vec![], ignored: vec![] };
    let mut list = |item: Item, on: bool, why: &str| {
        if on {
            checked.works.push(item);
        } else {
            checked.off.push(Off { item, because: vec![why.to_owned()] });
        }
    };
    for (id, source) in &catalog.sources {
        list(Item::new("source", id, source.name.clone()), source.enabled, "enabled is false");
    }
    for (id, destination) in &catalog.destinations {
        let on = destination.state == DestinationState::Enabled;
        let why = format!("its state is {}", format!("{:?}", destination.state).to_lowercase());
        list(Item::new("destination", id, destination.name.clone()), on, &why);
    }
    for (id, connection) in &catalog.connections {
        let name = format!("{} → {}", connection.source, connection.destination);
        list(Item::new("connection", id, name).passing(connection), connection.is_on(), "enabled is false");
    }
    checked
}

pub(crate) fn report(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "works:")?;
    for item in &checked.works {
        writeln!(out, "  {}", plain(&item.to_string()))?;
        if let Some(filter) = &item.filter {
            writeln!(out, "    filter: {}", plain(filter))?;
        }
    }
    none(checked.works.is_empty(), out)?;
    writeln!(out, "\noff:")?;
    for off in &checked.off {
        writeln!(out, "  {}", plain(&off.item.to_string()))?;
        for reason in &off.because {
            writeln!(out, "    because {}", plain(reason))?;
        }
    }
    none(checked.off.is_empty(), out)?;
    writeln!(out, "\nignored:")?;
    for ignored in &checked.ignored {
        writeln!(out, "  {}: {}", plain(&ignored.path), plain(&ignored.why))?;
    }
    none(checked.ignored.is_empty(), out)
}

fn none(is_empty: bool, out: &mut dyn Write) -> io::Result<()> {
    if is_empty { writeln!(out, "  nothing") } else { Ok(()) }
}
