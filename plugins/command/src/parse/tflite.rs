//! `benchmark_model` prints two summaries in whole microseconds, one of its warm-up, whatever the length of that, and one of the
//! timed runs: `count=50 first=249042 curr=250889 min=247067 max=254474 avg=249684 std=1442 p5=247900 median=249500 p95=252000`.
//! Where it knows no spread, `count=1 curr=250889` or `count=50 curr=250889(all same)`. Old ones know no median.

use std::str::FromStr;
use std::sync::LazyLock;

use regex_lite::Regex;

use super::{Answer, Said, shortened};

/// What its clock counts in, milliseconds.
const RESOLUTION_MS: f64 = 1e-3;

/// A summary on a line of its own, behind nothing but the prefix of a log: its own `INFO: `, or that of `adb logcat`. Others say of
/// what they are: `Timings (microseconds): count=50 ...` of operators, `cpu w/ 4 threads: count=50 ...` of several programs.
static SUMMARY: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^[\d\s.:-]*(?:INFO: *|I[/ ][^:]+: *|I\d{4} [^\]]*\] *)?count=(\d+)(.*)$";
    Regex::new(pattern).expect("a pattern")
});

struct Summary<'a> {
    count: u64,
    /// What stands behind the count.
    statistics: &'a str,
}

pub(super) fn read(said: &Said) -> Result<Answer, String> {
    // On Android it prints to the log, and elsewhere to either.
    let lines = said.printed.stdout.lines().chain(said.printed.stderr.lines());
    let summaries: Vec<Summary<'_>> = lines.filter_map(Summary::of).collect();
    let [.., _, timed] = summaries.as_slice() else {
        return Err(format!(
            "benchmark_model printed {} of 2 lines that begin with count=, the first of which is of its warm-up; its last \
             line: {}",
            summaries.len(),
            said.last_line()
        ));
    };
    timed.check_count(&said.printed.arguments)?;
    let (name, microseconds) = timed.microseconds()?;
    Answer::rounded(&format!("{name} of benchmark_model"), microseconds / 1e3, RESOLUTION_MS)
}

impl<'a> Summary<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let found = SUMMARY.captures(line)?;
        Some(Self {
            count: found[1].parse().ok()?,
            statistics: found.get(2)?.as_str(),
        })
    }

    /// Looks whether so many runs were asked for, as far as the command line tells.
    fn check_count(&self, arguments: &[String]) -> Result<(), String> {
        if self.count == 0 {
            return Err("benchmark_model timed no run: its last summary is count=0".to_owned());
        }
        let Some(asked) = option::<u64>(arguments, "--num_runs=") else {
            return Ok(());
        };
        // It goes on until the time is over, too, which is a second where none is given.
        let goes_on = option::<f64>(arguments, "--min_secs=").unwrap_or(1.0) > 0.0;
        if self.count == asked || (self.count > asked && goes_on) {
            return Ok(());
        }
        Err(format!(
            "benchmark_model timed {} runs where {asked} were asked for; where its --max_secs, 150 if it is not given, cut them \
             short, ask for fewer `repetitions`",
            self.count
        ))
    }

    /// The median, or else the mean, in microseconds, and its name. The latest run stands for all where these are the same.
    fn microseconds(&self) -> Result<(&'static str, f64), String> {
        let word = |name: &str| {
            self.statistics
                .split_whitespace()
                .find_map(|word| word.strip_prefix(name))
        };
        let only = |latest: &'a str| latest.strip_suffix("(all").or((self.count == 1).then_some(latest));
        let told = [
            ("median", word("median=")),
            ("avg", word("avg=")),
            ("curr", word("curr=").and_then(only)),
        ];
        let found = told.into_iter().find_map(|(name, told)| Some((name, told?)));
        let (name, told) = found.ok_or_else(|| {
            format!(
                "benchmark_model tells neither median= nor avg= nor that runs are (all same), but {}",
                shortened(self.statistics.trim())
            )
        })?;
        let microseconds = told.parse();
        let microseconds =
            microseconds.map_err(|_| format!("{name} of benchmark_model is {told:?}; expected microseconds"))?;
        Ok((name, microseconds))
    }
}

/// The value of an option. Of several the program takes the first.
fn option<T: FromStr>(arguments: &[String], name: &str) -> Option<T> {
    let told = arguments.iter().find_map(|argument| argument.strip_prefix(name));
    told?.parse().ok()
}

#[cfg(test)]
mod tests {
    use lglp_sdk::program::Output;

    use super::*;

    const WARM_UP: &str = "INFO: count=78 first=9000 curr=6370 min=6000 max=9000 avg=6370 std=100";

    /// The time in nanoseconds that is read in these lines, of a program that was started so.
    fn started(arguments: &[&str], lines: &[&str]) -> Result<u64, String> {
        let printed = Output {
            stdout: lines.join("\n"),
            stderr: String::new(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        };
        let answer = read(&Said { printed, output: None })?;
        Ok(answer.samples[0].wall_ns)
    }

    fn wall_ns(timed: &[&str]) -> Result<u64, String> {
        started(&[], &[&[WARM_UP], timed].concat())
    }

    /// The timed line of fast networks, which all take the same, was skipped for want of `avg=`: 6.37 ms were recorded for 2.
    #[test]
    fn the_last_summary_counts_in_every_form() {
        for (timed, ns) in [
            (
                "count=20 first=9 curr=8 min=7 max=9 avg=2e+03 std=1 p5=7 median=2100 p95=9",
                2_100_000,
            ),
            (
                "count=20 first=9 curr=8 min=7 max=9 avg=2.95034e+06 std=1",
                2_950_340_000,
            ),
            ("count=1 curr=2000", 2_000_000),
            ("count=20 curr=2000(all same)", 2_000_000),
            ("count=20 curr=2000(all same) p5=1 median=2001 p95=3", 2_001_000),
            ("count=1 curr=0", 0),
        ] {
            assert_eq!(wall_ns(&[timed]), Ok(ns), "{timed}");
        }
    }

    #[test]
    fn a_log_may_stand_before_a_summary() {
        for prefix in [
            "",
            "INFO: ",
            "I/tflite  ( 1234): ",
            "07-14 13:23:08.980 I/tflite  (25289): ",
            "07-14 13:23:08.980 25289 25289 I tflite  : ",
            "I0000 00:00:1784028188.980123   25289 benchmark_model.cc:256] ",
        ] {
            let timed = format!("{prefix}count=25 first=1 curr=1 min=1 max=3 avg=2000 std=1");
            assert_eq!(wall_ns(&[&timed]), Ok(2_000_000), "{prefix}");
        }
    }

    /// With `--enable_op_profiling=true` these lines come last, and the sum of the operators' times was recorded.
    #[test]
    fn what_others_count_is_no_summary() {
        let timed = "INFO: count=20 curr=2000(all same)";
        for other in [
            "Timings (microseconds): count=20 first=1 curr=1 min=1 max=2 avg=1500 std=1",
            "INFO: Timings (microseconds): count=20 first=1 curr=1 min=1 max=2 avg=1500 std=1",
            "07-14 13:23:08.980 25289 25289 I tflite  : Timings (microseconds): count=20 curr=1500(all same)",
            "I/tflite: Memory (bytes): count=0",
            "Memory (bytes): count=20 curr=1024(all same)",
            "INFO:           cpu w/ 4 threads: count=50 first=1 curr=1 min=1 max=2 avg=1500 std=1",
        ] {
            assert_eq!(wall_ns(&[timed, other]), Ok(2_000_000), "{other}");
        }
    }

    #[test]
    fn without_the_timed_runs_nothing_is_taken() {
        let alone = wall_ns(&["Segmentation fault"]).expect_err("only the warm-up's line");
        assert!(
            alone.contains("printed 1 of 2") && alone.contains("Segmentation fault"),
            "{alone}"
        );
        for (timed, said) in [
            ("count=0", "timed no run"),
            ("count=20 first=9 curr=8", "neither median="),
            ("count=20 curr=nothing(all same)", "expected microseconds"),
            ("count=20 curr=-3(all same)", "more than 0"),
        ] {
            let refused = wall_ns(&[timed]).expect_err(timed);
            assert!(refused.contains(said), "{timed}: {refused}");
        }
    }

    #[test]
    fn other_runs_than_those_that_were_asked_for_are_refused() {
        let counts = |arguments: &[&str], count: u64| {
            started(arguments, &[WARM_UP, &format!("count={count} curr=2000(all same)")])
        };
        let preset = ["--num_runs=20", "--min_secs=0", "--num_runs=90"];
        assert_eq!(counts(&preset, 20), Ok(2_000_000));
        for count in [19, 21, 90] {
            let refused = counts(&preset, count).expect_err("another count");
            assert!(refused.contains(&format!("{count} runs where 20 were")), "{refused}");
        }
        let at_least = ["--num_runs=20"];
        assert_eq!(counts(&at_least, 41), Ok(2_000_000), "a second was not over");
        assert!(counts(&at_least, 12).is_err());
        assert_eq!(
            counts(&["phone", "20"], 12),
            Ok(2_000_000),
            "what a script does with it is not known"
        );
    }
}
