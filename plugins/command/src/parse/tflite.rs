//! `benchmark_model` prints a line of statistics in microseconds after warming up, and another one after measuring:
//! `count=50 first=249042 curr=250889 min=247067 max=254474 avg=249684 std=1442 p5=247900 median=249500 p95=252000`.

use std::sync::LazyLock;

use lglp_sdk::plugin::Sample;
use regex_lite::Regex;

use super::{Said, sample};

static STATISTICS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"count=\d+ .*?avg=(\S+)(?: .*?median=(\S+))?").expect("a pattern"));

pub fn read(said: &Said) -> Result<Vec<Sample>, String> {
    // On Android it prints to the log, and elsewhere to either.
    let lines = said.stdout.lines().chain(said.stderr.lines());
    let found = lines.filter_map(|line| STATISTICS.captures(line)).next_back();
    let found = found.ok_or_else(|| {
        format!(
            "benchmark_model printed no line with count= and avg=; its last line: {}",
            said.last_line()
        )
    })?;
    let (place, told) = found
        .get(2)
        .map_or(("avg", &found[1]), |median| ("median", median.as_str()));
    let microseconds: f64 = told
        .parse()
        .map_err(|_| format!("{place} of benchmark_model is {told:?}; expected microseconds"))?;
    Ok(vec![sample(place, microseconds / 1e3)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall_ns(stdout: &str) -> Result<u64, String> {
        let said = Said {
            stdout: stdout.to_owned(),
            stderr: String::new(),
            output: None,
        };
        Ok(read(&said)?[0].wall_ns)
    }

    #[test]
    fn the_line_after_the_warm_up_counts() {
        let log = "count=1 curr=3512391\n\
                   count=5 first=9 curr=8 min=7 max=9 avg=8.5 std=1\n\
                   count=50 first=2990275 curr=2913402 min=2727568 max=3189954 avg=2.95034e+06 std=109798\n\
                   Inference timings in us: Init: 17187, First inference: 3512391\n";
        assert_eq!(wall_ns(log), Ok(2_950_340_000));
        let newer = log.replace("std=109798", "std=109798 p5=2800000 median=2900000 p95=3100000");
        assert_eq!(wall_ns(&newer), Ok(2_900_000_000));
        assert!(wall_ns("Error: cannot open").unwrap_err().contains("cannot open"));
    }
}
