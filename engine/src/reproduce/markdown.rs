//! The report as Markdown, a paragraph or table for each thing that it says.

use lglp_sdk::count;

use super::report::{Line, Report};

/// A metric as tables show it.
struct Column {
    /// Its name in results.
    name: &'static str,
    heading: &'static str,
    digits: usize,
    more_is_better: bool,
    /// Whether the paper's Table 1 has it.
    in_paper: bool,
}

const fn column(
    name: &'static str,
    heading: &'static str,
    digits: usize,
    more_is_better: bool,
    in_paper: bool,
) -> Column {
    Column {
        name,
        heading,
        digits,
        more_is_better,
        in_paper,
    }
}

const R2: Column = column("r2", "R²", 3, true, true);
const MAE: Column = column("mae", "MAE, ms", 2, false, true);
const MAPE: Column = column("mape", "MAPE, %", 1, false, false);
const SPEARMAN: Column = column("spearman", "Spearman", 3, true, false);
const COLUMNS: [Column; 8] = [
    column("mse", "MSE, ms²", 1, false, true),
    MAE,
    R2,
    column("correlation", "corrcoef", 3, true, true),
    MAPE,
    SPEARMAN,
    column("within_5", "within 5 %", 1, true, false),
    column("within_10", "within 10 %", 1, true, false),
];

/// The report. `command` makes it again.
pub fn markdown(report: &Report, command: &str) -> String {
    let sections = [
        data(report, command),
        table1(report),
        verdict(report),
        exchanged(report),
        encodings(report),
        connections(report),
        predictions(),
        learning_curve(report),
    ];
    sections.concat()
}

/// A table; every row has as many cells as there are heads.
fn table(heads: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", " --- |".repeat(heads.len()));
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}{body}\n", line(heads))
}

fn owned(cells: &[&str]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}

fn data(report: &Report, command: &str) -> String {
    let subject = &report.subject;
    let (shortest, median, longest) = subject.latency_ms;
    let (train, validation, test) = report.split;
    let batch = subject.target.batch_size();
    let batch = batch.map_or("not told".into(), |batch| batch.to_string());
    let noise = match &subject.repeatability {
        Some(r) => format!(
            "{} measured twice, {:.2} % apart in the median, {:.2} % at the 95th percentile",
            count(r.architectures, "architecture"),
            r.median_percent,
            r.p95_percent
        ),
        None => "not known: nothing was measured twice".into(),
    };
    let fact = |what: &str, is: String| vec![what.to_owned(), is];
    let facts = [
        fact(
            "hardware target",
            format!(
                "`{}`, runtime {}, batch {batch}",
                subject.hardware, subject.target.runtime
            ),
        ),
        fact("machine", machine(&subject.target.fingerprint)),
        fact("search space", format!("`{}`", subject.space)),
        fact(
            "architectures",
            format!(
                "{}, {} of them drawn weighted to large depth and resolution",
                subject.architectures, subject.weighted_draws
            ),
        ),
        fact(
            "latency",
            format!("{shortest:.1} to {longest:.1} ms, median {median:.1}"),
        ),
        fact(
            "split",
            format!("{train} to train on, {validation} to stop by, {test} to test on"),
        ),
        fact("excluded measurements", subject.excluded.to_string()),
        fact("noise floor", noise),
        fact("dataset", format!("`{}`", subject.dataset)),
    ];
    format!(
        "# {}: {}\n\nMade by `{command}`; the numbers are in [report.json](report.json), every fit in \
         [cells.jsonl](cells.jsonl). Figures are means ± standard deviations over seeded 80/10/10 splits.\n\n\
         ## Data\n\n{}![Distribution of the latencies](distribution.svg)\n\n",
        report.title,
        subject.hardware,
        table(&owned(&["", ""]), &facts)
    )
}

fn machine(fingerprint: &serde_json::Value) -> String {
    let fact = |name: &str| fingerprint[name].as_str().map(str::to_owned);
    let facts: Vec<String> = ["cpu", "device", "imported_from"]
        .into_iter()
        .filter_map(fact)
        .collect();
    if facts.is_empty() {
        "not told".into()
    } else {
        facts.join(", ")
    }
}

fn table1(report: &Report) -> String {
    let favourite = report.table1.iter().find(|line| line.recipe == report.favourite);
    let mut heads = owned(&["", "recipe"]);
    heads.extend(
        COLUMNS
            .iter()
            .map(|c| format!("{}{}", c.heading, if c.in_paper { " / paper" } else { "" })),
    );
    heads.extend(["s a fit".to_owned(), format!("`{}` ahead", report.favourite)]);
    let rows = report.table1.iter().enumerate().map(|(rank, line)| {
        let mut row = vec![(rank + 1).to_string(), format!("`{}`", line.recipe)];
        row.extend(COLUMNS.iter().map(|column| {
            let paper = match line.paper.get(column.name) {
                _ if !column.in_paper => String::new(),
                Some(figure) => format!(" / {figure}"),
                None => " / –".into(),
            };
            cell(line, column) + &paper
        }));
        row.push(format!("{:.1}", line.seconds));
        row.push(
            favourite
                .filter(|f| f.recipe != line.recipe)
                .map_or(String::new(), |f| ahead(f, line)),
        );
        row
    });
    format!(
        "## Table 1: predictors, best first\n\nOurs / the paper's, which is of one split on another device; – where it has none. The last \
         column counts the splits in which `{}`, which the paper argues for, has the higher R².\n\n{}",
        report.favourite,
        table(&heads, &rows.collect::<Vec<_>>())
    )
}

fn cell(line: &Line, column: &Column) -> String {
    let (summary, digits) = (&line.metrics[column.name], column.digits);
    format!("{:.digits$} ± {:.digits$}", summary.mean, summary.sd)
}

/// In how many splits the first has the higher R^2.
fn ahead(first: &Line, second: &Line) -> String {
    let (first, second) = (&first.metrics["r2"].values, &second.metrics["r2"].values);
    let wins = first.iter().zip(second).filter(|(a, b)| a > b).count();
    format!("{wins} of {}", first.len().min(second.len()))
}

/// Who wins by every metric, and where the favourite stands.
fn verdict(report: &Report) -> String {
    let mut text = format!("Best, and where `{}` stands:\n\n", report.favourite);
    for column in &COLUMNS {
        let mut ranked: Vec<&Line> = report.table1.iter().collect();
        let mean = |line: &Line| line.metrics[column.name].mean;
        ranked.sort_by(|a, b| {
            let order = mean(a).total_cmp(&mean(b));
            if column.more_is_better { order.reverse() } else { order }
        });
        let place = ranked.iter().position(|line| line.recipe == report.favourite);
        if let (Some(best), Some(place)) = (ranked.first(), place) {
            text += &format!(
                "- {}: `{}` ({}); `{}` has place {} of {}\n",
                column.heading,
                best.recipe,
                cell(best, column),
                report.favourite,
                place + 1,
                ranked.len()
            );
        }
    }
    text + "\n"
}

/// Whether the paper's column of R² comes out where measurement and prediction are exchanged. Empty where the paper's is not known.
fn exchanged(report: &Report) -> String {
    let figure = |line: &Line, name: &str| line.metrics.get(name).map_or("–".into(), |m| format!("{:.3}", m.mean));
    let known = report.table1.iter().filter_map(|line| {
        let (mse, r2) = (line.paper.get("mse")?, line.paper.get("r2")?);
        Some((line, *r2, mse / (1.0 - r2)))
    });
    let rows: Vec<Vec<String>> = known
        .map(|(line, r2, variance)| {
            vec![
                format!("`{}`", line.recipe),
                format!("{r2:.4}"),
                format!("{variance:.1}"),
                figure(line, "r2"),
                figure(line, "r2_exchanged"),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "## R² either way\n\nR² is 1 - MSE / variance of the measurements, so that MSE / (1 - R²) is one number for all predictors \
         that are tested on the same rows. In the paper's table it is not: it is the smaller the less a predictor varies, as if R² were \
         1 - MSE / variance of the predictions, with its arguments exchanged. That is our inference, not the paper's word; here are \
         both, on our data.\n\n{}",
        table(
            &owned(&["recipe", "paper's R²", "its MSE / (1 - R²), ms²", "R²", "R² exchanged"]),
            &rows
        )
    );
    let collapse = report
        .table1
        .iter()
        .find(|line| line.paper.get("r2").is_some_and(|r2| *r2 < 0.0));
    if let Some(line) = collapse {
        let comes_out = line
            .metrics
            .get("r2_exchanged")
            .is_some_and(|exchanged| exchanged.mean < 0.0);
        text += &format!(
            "`{}`, whose R² the paper has below 0, has {} here, and {} exchanged: the paper's figure {} by the exchange.\n\n",
            line.recipe,
            figure(line, "r2"),
            figure(line, "r2_exchanged"),
            if comes_out { "comes out" } else { "does not come out" }
        );
    }
    text
}

fn encodings(report: &Report) -> String {
    let mut names: Vec<&str> = report
        .encodings
        .iter()
        .flatten()
        .map(|line| line.encoding.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let rows = report.encodings.iter().filter(|row| !row.is_empty()).map(|row| {
        let best = row.iter().map(|line| line.metrics["r2"].mean).fold(f64::MIN, f64::max);
        let mut cells = vec![format!("`{}`", row[0].recipe)];
        cells.extend(names.iter().map(|name| {
            let Some(line) = row.iter().find(|line| line.encoding == *name) else {
                return String::new();
            };
            let mark = if line.metrics["r2"].mean == best { "**" } else { "" };
            format!("{mark}{}{mark} ({})", cell(line, &R2), cell(line, &MAPE))
        }));
        cells
    });
    format!(
        "## Encodings\n\nR² (MAPE, %) of each predictor on the encodings that it can read; LSTMs read A as a sequence, in \
         `mobilenetv3` of 40 x 3 values. B and C hold the same columns in another order, so that most predictors see no \
         difference.\n\n{}",
        table(&[owned(&["recipe"]), owned(&names)].concat(), &rows.collect::<Vec<_>>())
    )
}

fn connections(report: &Report) -> String {
    let Some(first) = report.connections.first() else {
        return String::new();
    };
    let shown = [R2, MAE, MAPE, SPEARMAN];
    let mut heads = owned(&["connection"]);
    heads.extend(shown.iter().map(|column| column.heading.to_owned()));
    heads.extend(owned(&["s a fit", "sum ahead"]));
    let name = |line: &Line| line.connection.clone().unwrap_or_default();
    let rows = report.connections.iter().map(|line| {
        let mut row = vec![name(line)];
        row.extend(shown.iter().map(|column| cell(line, column)));
        row.push(format!("{:.1}", line.seconds));
        let rival = line.connection != first.connection;
        row.push(if rival { ahead(first, line) } else { String::new() });
        row
    });
    let r2 = |line: &&Line| line.metrics["r2"].mean;
    let best = report.connections.iter().max_by(|a, b| r2(a).total_cmp(&r2(b)));
    let best = best.map(name).unwrap_or_default();
    let holds = if best == name(first) { "holds" } else { "does not hold" };
    format!(
        "## Connection of hidden states (Fig. 6)\n\n`{}` with its hidden states summed over time, as section 6.2 of the \
         paper has it (7.1 speaks of the last one), with the last one only, and with all of them one after another.\n\n{}That the sum wins {holds} here: `{best}` has the \
         highest mean R².\n\n",
        first.recipe,
        table(&heads, &rows.collect::<Vec<_>>())
    )
}

fn predictions() -> String {
    "## Predictions (Fig. 8)\n\n![Predicted against measured latency](scatter.svg)\n\n\
     ![Error against measured latency](residuals.svg)\n\n\
     All panels have the same axes, which fit them all. Open triangles at the edge stand for what lies outside: predictions \
     of 0 or less, or more than ten times beyond everything measured, and errors beyond 100 %; each panel tells how many there \
     are and the largest error among them.\n\n"
        .into()
}

fn learning_curve(report: &Report) -> String {
    let points = || report.learning_curve.iter().flat_map(|curve| &curve.points);
    let mut sizes: Vec<usize> = points().map(|point| point.train_rows).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let splits = points().map(|point| point.splits).max().unwrap_or(0);
    let heads = sizes.iter().map(ToString::to_string);
    let rows = report.learning_curve.iter().map(|curve| {
        let mut cells = vec![format!("`{}`", curve.recipe)];
        cells.extend(sizes.iter().map(|size| {
            let point = curve.points.iter().find(|point| point.train_rows == *size);
            point.map_or(String::new(), |p| {
                let (mape, r2) = (&p.metrics["mape"], &p.metrics["r2"]);
                format!("{:.1} ± {:.1} ({:.2})", mape.mean, mape.sd, r2.mean)
            })
        }));
        cells
    });
    format!(
        "## Learning curve\n\n![MAPE against the number of training architectures](learning-curve.svg)\n\nMAPE, % (R²) by the \
         number of training architectures, over {splits} splits; an eighth as many stop the fit, and the test part stays the \
         same.\n\n{}",
        table(
            &[owned(&["recipe"]), heads.collect()].concat(),
            &rows.collect::<Vec<_>>()
        )
    )
}
