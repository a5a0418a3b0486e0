//! The report as Markdown.

use std::fmt::Write;

use super::report::{Line, Report};

/// A metric as tables show it: its name in results, its heading, its digits, whether more is better.
struct Column(&'static str, &'static str, usize, bool);

const COLUMNS: [Column; 8] = [
    Column("mse", "MSE, ms²", 1, false),
    Column("mae", "MAE, ms", 2, false),
    Column("r2", "R²", 3, true),
    Column("correlation", "corrcoef", 3, true),
    Column("mape", "MAPE, %", 1, false),
    Column("spearman", "Spearman", 3, true),
    Column("within_5", "within 5 %", 1, true),
    Column("within_10", "within 10 %", 1, true),
];

/// Metrics that the paper's Table 1 has.
const PAPER: usize = 4;

/// The report. `command` makes it again.
pub fn markdown(report: &Report, command: &str) -> String {
    let mut text = String::new();
    data(&mut text, report, command);
    table1(&mut text, report);
    encodings(&mut text, report);
    connections(&mut text, report);
    text += "## Predictions\n\n![Predicted against measured latency](scatter.svg)\n\n";
    text += "![Error against measured latency](residuals.svg)\n\n";
    text += "Predictions off the axes and errors beyond 100 % are drawn at the ends of the axes.\n\n";
    learning_curve(&mut text, report);
    text
}

/// Writing to a string cannot fail.
macro_rules! say {
    ($text:expr, $($arguments:tt)*) => {
        writeln!($text, $($arguments)*).expect("a string takes everything")
    };
}

fn data(text: &mut String, report: &Report, command: &str) {
    let subject = &report.subject;
    say!(text, "# {}: {}\n", report.title, subject.hardware);
    say!(
        text,
        "Made by `{command}`; the numbers are in [report.json](report.json), every fit in"
    );
    say!(
        text,
        "[cells.jsonl](cells.jsonl). Means ± standard deviations are over seeded 80/10/10 splits.\n"
    );
    say!(text, "## Data\n");
    let (shortest, median, longest) = subject.latency_ms;
    let (train, validation, test) = report.split;
    let batch = subject
        .target
        .settings
        .get("batch_size")
        .map_or("1".into(), ToString::to_string);
    say!(text, "| | |");
    say!(text, "| --- | --- |");
    say!(
        text,
        "| hardware target | `{}`, runtime {}, batch {batch} |",
        subject.hardware,
        subject.target.runtime
    );
    say!(text, "| machine | {} |", machine(&subject.target.fingerprint));
    say!(text, "| search space | `{}` |", subject.space);
    say!(
        text,
        "| architectures | {}, {} of them drawn weighted to large depth and resolution |",
        subject.architectures,
        subject.weighted_draws
    );
    say!(
        text,
        "| latency | {shortest:.1} to {longest:.1} ms, median {median:.1} |"
    );
    say!(
        text,
        "| split | {train} to train on, {validation} to stop by, {test} to test on |"
    );
    say!(text, "| excluded measurements | {} |", subject.excluded);
    say!(text, "| dataset | `{}` |", subject.dataset);
    match &subject.repeatability {
        Some(r) => say!(
            text,
            "| noise floor | {} measured twice differ by {:.2} % in the median, {:.2} % at the 95th percentile |\n",
            r.architectures,
            r.median_percent,
            r.p95_percent
        ),
        None => say!(text, "| noise floor | not known: nothing was measured twice |\n"),
    }
    say!(text, "![Distribution of the latencies](distribution.svg)\n");
}

fn machine(fingerprint: &serde_json::Value) -> String {
    let fact = |name: &str| fingerprint[name].as_str().map(str::to_owned);
    let facts = ["cpu", "device", "imported_from"].into_iter().filter_map(fact);
    let facts: Vec<String> = facts.collect();
    if facts.is_empty() {
        "not told".into()
    } else {
        facts.join(", ")
    }
}

fn table1(text: &mut String, report: &Report) {
    say!(text, "## Table 1: predictors, best first\n");
    say!(
        text,
        "Ours / the paper's; – where the paper's figure is not known to us. The last column counts the splits in which"
    );
    say!(
        text,
        "`{}`, which the paper argues for, has the higher R².\n",
        report.favourite
    );
    let favourite = report.table1.iter().find(|line| line.recipe == report.favourite);
    let mut head = String::from("| | recipe |");
    for (i, Column(_, name, ..)) in COLUMNS.iter().enumerate() {
        head += &format!(" {name}{} |", if i < PAPER { " / paper" } else { "" });
    }
    say!(text, "{head} s a fit | `{}` ahead |", report.favourite);
    say!(text, "|{}", " --- |".repeat(COLUMNS.len() + 4));
    for (rank, line) in report.table1.iter().enumerate() {
        let mut row = format!("| {} | `{}` |", rank + 1, line.recipe);
        for (i, column) in COLUMNS.iter().enumerate() {
            let paper = match line.paper.get(column.0) {
                _ if i >= PAPER => String::new(),
                Some(figure) => format!(" / {figure}"),
                None => " / –".into(),
            };
            row += &format!(" {}{paper} |", cell(line, column));
        }
        let ahead = match favourite {
            Some(f) if f.recipe != line.recipe => ahead(f, line),
            _ => String::new(),
        };
        say!(text, "{row} {:.1} | {ahead} |", line.seconds);
    }
    say!(text, "");
    verdict(text, report);
}

fn cell(line: &Line, Column(name, _, digits, _): &Column) -> String {
    let summary = &line.metrics[name];
    format!("{:.digits$} ± {:.digits$}", summary.mean, summary.sd)
}

/// In how many splits the first has the higher R^2.
fn ahead(first: &Line, second: &Line) -> String {
    let (first, second) = (&first.metrics["r2"].values, &second.metrics["r2"].values);
    let wins = first.iter().zip(second).filter(|(a, b)| a > b).count();
    format!("{wins} of {}", first.len().min(second.len()))
}

/// Who wins, by every metric, and where the favourite stands.
fn verdict(text: &mut String, report: &Report) {
    say!(text, "Best, and where `{}` stands:\n", report.favourite);
    for Column(name, heading, digits, more_is_better) in &COLUMNS {
        let mut ranked: Vec<&Line> = report.table1.iter().collect();
        ranked.sort_by(|a, b| {
            let order = a.metrics[name].mean.total_cmp(&b.metrics[name].mean);
            if *more_is_better { order.reverse() } else { order }
        });
        let Some(best) = ranked.first() else { return };
        let place = ranked
            .iter()
            .position(|line| line.recipe == report.favourite)
            .map_or(0, |p| p + 1);
        say!(
            text,
            "- {heading}: `{}` ({:.digits$}); `{}` is {place} of {}",
            best.recipe,
            best.metrics[name].mean,
            report.favourite,
            ranked.len()
        );
    }
    say!(text, "");
    if let Some(line) = report.table1.iter().find(|line| line.recipe == "elastic-net") {
        let r2 = line.metrics["r2"].mean;
        if r2 < 0.05 {
            say!(
                text,
                "Elastic-Net collapses, as in the paper: at scikit-learn's defaults its penalty outweighs what one-hot inputs"
            );
            say!(
                text,
                "explain of latencies of this size, and it predicts little else than their mean.\n"
            );
        } else {
            say!(
                text,
                "Elastic-Net does not collapse here as it does in the paper: its penalty does not scale with the labels, and"
            );
            say!(
                text,
                "latencies of hundreds of milliseconds outweigh it. On latencies of tens of milliseconds it collapses.\n"
            );
        }
    }
}

fn encodings(text: &mut String, report: &Report) {
    say!(text, "## Encodings\n");
    say!(
        text,
        "R² (MAPE, %) of each predictor on the encodings that it can read; A for LSTMs is a sequence of 40 x 3 values in"
    );
    say!(
        text,
        "`mobilenetv3`. B and C hold the same columns in another order, so that most predictors see no difference.\n"
    );
    let mut names: Vec<&str> = report
        .encodings
        .iter()
        .flatten()
        .map(|line| line.encoding.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    say!(text, "| recipe | {} |", names.join(" | "));
    say!(text, "|{}", " --- |".repeat(names.len() + 1));
    for row in report.encodings.iter().filter(|row| !row.is_empty()) {
        let best = row.iter().map(|line| line.metrics["r2"].mean).fold(f64::MIN, f64::max);
        let cells = names.iter().map(|name| {
            let Some(line) = row.iter().find(|line| line.encoding == *name) else {
                return String::new();
            };
            let (r2, mape) = (&line.metrics["r2"], &line.metrics["mape"]);
            let mark = if r2.mean == best { "**" } else { "" };
            format!(
                "{mark}{:.3} ± {:.3}{mark} ({:.1} ± {:.1})",
                r2.mean, r2.sd, mape.mean, mape.sd
            )
        });
        say!(
            text,
            "| `{}` | {} |",
            row[0].recipe,
            cells.collect::<Vec<_>>().join(" | ")
        );
    }
    say!(text, "");
}

fn connections(text: &mut String, report: &Report) {
    say!(text, "## Connection of hidden states (Fig. 6)\n");
    let Some(first) = report.connections.first() else {
        return;
    };
    say!(
        text,
        "`{}` with its hidden states summed over time, as the paper has it, with the last one only, and with all of",
        first.recipe
    );
    say!(text, "them one after another.\n");
    say!(
        text,
        "| connection | R² | MAE, ms | MAPE, % | Spearman | s a fit | sum ahead |"
    );
    say!(text, "| --- | --- | --- | --- | --- | --- | --- |");
    let shown = [2, 1, 4, 5].map(|i| &COLUMNS[i]);
    for line in &report.connections {
        let cells = shown.map(|column| cell(line, column)).join(" | ");
        let ahead = if line.connection == first.connection {
            String::new()
        } else {
            ahead(first, line)
        };
        let name = line.connection.as_deref().unwrap_or_default();
        say!(text, "| {name} | {cells} | {:.1} | {ahead} |", line.seconds);
    }
    say!(text, "");
    let best = report
        .connections
        .iter()
        .max_by(|a, b| a.metrics["r2"].mean.total_cmp(&b.metrics["r2"].mean));
    let name = best.and_then(|line| line.connection.as_deref()).unwrap_or_default();
    match first.connection.as_deref() == Some(name) {
        true => say!(
            text,
            "The paper's claim holds here: `{name}` has the highest mean R².\n"
        ),
        false => say!(
            text,
            "The paper's claim does not hold here: `{name}` has the highest mean R².\n"
        ),
    }
}

fn learning_curve(text: &mut String, report: &Report) {
    say!(text, "## Learning curve\n");
    say!(
        text,
        "![MAPE against the number of training architectures](learning-curve.svg)\n"
    );
    let mut sizes: Vec<usize> = report
        .learning_curve
        .iter()
        .flat_map(|c| &c.points)
        .map(|p| p.train_rows)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    let heads: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    say!(
        text,
        "MAPE, % (R²) by training architectures; an eighth as many stop the fit, and the test part stays the same.\n"
    );
    say!(text, "| recipe | {} |", heads.join(" | "));
    say!(text, "|{}", " --- |".repeat(sizes.len() + 1));
    for curve in &report.learning_curve {
        let cells = sizes.iter().map(|size| {
            let point = curve.points.iter().find(|point| point.train_rows == *size);
            point.map_or(String::new(), |p| {
                let (mape, r2) = (&p.metrics["mape"], &p.metrics["r2"]);
                format!("{:.1} ± {:.1} ({:.2})", mape.mean, mape.sd, r2.mean)
            })
        });
        say!(
            text,
            "| `{}` | {} |",
            curve.recipe,
            cells.collect::<Vec<_>>().join(" | ")
        );
    }
}
