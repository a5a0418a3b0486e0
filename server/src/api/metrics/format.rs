//! The two texts that Prometheus reads: its own of old, which it takes from whoever says nothing, and OpenMetrics.

/// A text of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Version 0.0.4.
    Text,
    OpenMetrics,
}

impl Format {
    /// The one that a client asks for by `Accept`.
    pub(super) fn asked(accept: Option<&str>) -> Self {
        match accept {
            Some(accept) if accept.contains("application/openmetrics-text") => Self::OpenMetrics,
            _ => Self::Text,
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// This text of what is written in OpenMetrics. There a counter is named without the `_total` of its samples, and a text
    /// has an end and units.
    pub(super) fn of(self, open: String) -> String {
        if self == Self::OpenMetrics {
            return open;
        }
        let counters: Vec<&str> = open
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
            .collect();
        let mut text = String::with_capacity(open.len());
        for line in open
            .lines()
            .filter(|line| *line != "# EOF" && !line.starts_with("# UNIT "))
        {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(&name) => {
                    text += &format!("# {what} {name}_total {rest}\n");
                }
                _ => {
                    text += line;
                    text.push('\n');
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_old_names_counters_as_their_samples() {
        let open = "# HELP a Things.\n# TYPE a counter\na_total{x=\"1\"} 3\n# HELP b_seconds Time.\n# TYPE b_seconds histogram\n\
                    # UNIT b_seconds seconds\nb_seconds_sum 1.5\n# EOF\n";
        let text = "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"1\"} 3\n# HELP b_seconds Time.\n\
                    # TYPE b_seconds histogram\nb_seconds_sum 1.5\n";
        assert_eq!(Format::Text.of(open.to_owned()), text);
        assert_eq!(Format::OpenMetrics.of(open.to_owned()), open);
        let asked = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4";
        assert_eq!(Format::asked(Some(asked)), Format::OpenMetrics);
        for text in [None, Some("*/*"), Some("text/plain;version=0.0.4")] {
            assert_eq!(Format::asked(text), Format::Text);
        }
    }
}
