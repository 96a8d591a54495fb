//! Figures, and how they are shown.

use serde_json::json;

/// One measured number.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    pub bench: &'static str,
    pub figure: String,
    pub value: f64,
    pub unit: &'static str,
    /// The same number of what it is compared with.
    pub baseline: Option<f64>,
    /// `value` ÷ `baseline`.
    pub ratio: Option<f64>,
    /// CPU time of the program under test per event, Postgres not included.
    pub cpu_us_per_event: Option<f64>,
    /// What it should be.
    pub aim: Option<String>,
    /// Whether it is.
    pub holds: Option<bool>,
}

impl Figure {
    /// A number.
    pub fn new(bench: &'static str, figure: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure { bench, figure: figure.into(), value, unit, ..Figure::default() }
    }

    /// Sets what it is compared with.
    pub fn against(mut self, baseline: f64) -> Figure {
        self.baseline = Some(baseline);
        self.ratio = (baseline != 0.0).then(|| self.value / baseline);
        self
    }

    /// Sets a ratio that was taken within each round: the machine's mood changes between rounds.
    pub fn ratio(mut self, ratio: f64) -> Figure {
        self.ratio = Some(ratio);
        self
    }

    /// Sets the CPU time per event.
    pub fn cpu(mut self, us: f64) -> Figure {
        self.cpu_us_per_event = Some(us);
        self
    }

    /// Sets what it should be, and whether it is. What could not be measured does not hold.
    pub fn aim(mut self, aim: impl Into<String>, holds: bool) -> Figure {
        self.aim = Some(aim.into());
        self.holds = Some(holds && self.value.is_finite());
        self
    }

    /// Says that it is only to be known.
    pub fn reported(mut self) -> Figure {
        self.aim = Some("reported".to_owned());
        self
    }

    /// The line that `--json` prints.
    pub fn json(&self) -> String {
        json!({
            "bench": self.bench,
            "figure": self.figure,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "cpu_us_per_event": self.cpu_us_per_event,
            "aim": self.aim,
            "holds": self.holds,
        })
        .to_string()
    }

    fn row(&self) -> [String; 9] {
        let optional = |value: Option<f64>| value.map_or_else(String::new, short);
        [
            self.bench.to_owned(),
            self.figure.clone(),
            short(self.value),
            self.unit.to_owned(),
            optional(self.baseline),
            self.ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            optional(self.cpu_us_per_event),
            self.aim.clone().unwrap_or_default(),
            self.holds.map_or("", |holds| if holds { "yes" } else { "NO" }).to_owned(),
        ]
    }
}

const HEADS: [&str; 9] = ["bench", "figure", "value", "unit", "baseline", "ratio", "cpu µs/event", "aim", "holds"];
/// Columns of numbers, which end at the same place instead of beginning there.
const NUMBERS: [usize; 4] = [2, 4, 5, 6];

/// The table for people.
pub fn table(figures: &[Figure]) -> String {
    let rows: Vec<[String; 9]> =
        std::iter::once(HEADS.map(str::to_owned)).chain(figures.iter().map(Figure::row)).collect();
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if NUMBERS.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => {
            let digits = format!("{value:.0}");
            let mut out = String::new();
            for (place, digit) in digits.chars().enumerate() {
                if place > 0 && (digits.len() - place).is_multiple_of(3) && !out.ends_with('-') {
                    out.push(',');
                }
                out.push(digit);
            }
            out
        }
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
