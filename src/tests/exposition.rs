//! Reads what `/metrics` sends, strictly: the grammar of both forms, and what the kinds of metrics promise.

use std::collections::{BTreeMap, HashSet};

/// The form to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
    /// The Prometheus text format 0.0.4.
    Text,
}

/// A metric with its description and its samples.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) unit: Option<String>,
    help: bool,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// All metrics of an exposition, or the first fault.
pub(super) fn read(text: &str, form: Form) -> Result<Vec<Family>, String> {
    let body = match (form, text.strip_suffix("# EOF\n")) {
        (Form::OpenMetrics, Some(body)) => body,
        (Form::OpenMetrics, None) => return Err("does not end with # EOF".to_owned()),
        (Form::Text, None) => text,
        (Form::Text, Some(_)) => return Err("# EOF is not a line of the text format".to_owned()),
    };
    let Some(lines) = body.strip_suffix('\n') else {
        return Err("the last line has no end".to_owned());
    };
    let mut families: Vec<Family> = Vec::new();
    for line in lines.split('\n') {
        read_line(line, form, &mut families).map_err(|fault| format!("{fault}: {line}"))?;
    }
    let mut names = HashSet::new();
    for family in &families {
        if !names.insert(&family.name) {
            return Err(format!("{} stands there twice", family.name));
        }
        family.check(form)?;
    }
    Ok(families)
}

fn read_line(line: &str, form: Form, families: &mut Vec<Family>) -> Result<(), &'static str> {
    let Some(comment) = line.strip_prefix("# ") else {
        let family = families
            .last_mut()
            .ok_or("a sample without a description")?;
        family.samples.push(sample(line)?);
        return Ok(());
    };
    let mut words = comment.splitn(3, ' ');
    let (Some(keyword), Some(name), Some(rest)) = (words.next(), words.next(), words.next()) else {
        return Err("no description");
    };
    if !is_name(name) || rest.is_empty() {
        return Err("no description");
    }
    if keyword == "HELP" {
        families.push(Family {
            name: name.to_owned(),
            help: true,
            ..Family::default()
        });
        return Ok(());
    }
    let family = families.last_mut().ok_or("described before its help")?;
    if family.name != name || !family.samples.is_empty() {
        return Err("not beside the help of its metric");
    }
    match keyword {
        "TYPE" if family.kind.is_empty() => family.kind = rest.to_owned(),
        "UNIT" if form == Form::OpenMetrics && family.unit.is_none() => {
            family.unit = Some(rest.to_owned());
        }
        _ => return Err("no line of this form"),
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `name{label="value",...} value`, without a time and without an exemplar, which we do not send.
fn sample(line: &str) -> Result<Sample, &'static str> {
    let end = line.find(['{', ' ']).ok_or("no sample")?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name) {
        return Err("no name");
    }
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        let (inner, after) = inner.split_once('}').ok_or("no end of the labels")?;
        for label in inner.split(',') {
            let (name, value) = label.split_once('=').ok_or("no label")?;
            let value = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'))
                .filter(|value| !value.contains(['"', '\\']))
                .ok_or("no value of a label")?;
            let repeated = labels.insert(name.to_owned(), value.to_owned());
            if !is_name(name) || repeated.is_some() {
                return Err("no name of a label");
            }
        }
        rest = after;
    }
    let value = rest.strip_prefix(' ').and_then(number).ok_or("no value")?;
    Ok(Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        _ if text
            .bytes()
            .all(|b| b.is_ascii_digit() || b".-+e".contains(&b)) =>
        {
            text.parse().ok()
        }
        _ => None,
    }
}

impl Family {
    fn check(&self, form: Form) -> Result<(), String> {
        let fail = |fault: &str| Err(format!("{} {fault}", self.name));
        if !self.help || self.kind.is_empty() {
            return fail("is not described");
        }
        if self.samples.is_empty() {
            return fail("has no samples");
        }
        if let Some(unit) = &self.unit
            && !self.name.ends_with(&format!("_{unit}"))
        {
            return fail("is not named by its unit");
        }
        let mut seen = HashSet::new();
        for sample in &self.samples {
            if !seen.insert((&sample.name, &sample.labels)) {
                return fail("has a sample twice");
            }
        }
        match (&*self.kind, form) {
            ("counter", Form::OpenMetrics)
                if self.all_named(&[&format!("{}_total", self.name)]) =>
            {
                self.check_counts()
            }
            ("counter", Form::Text)
                if self.name.ends_with("_total") && self.all_named(&[&self.name]) =>
            {
                self.check_counts()
            }
            ("gauge", _) if self.all_named(&[&self.name]) => Ok(()),
            ("histogram", _) => self.check_histogram(),
            _ => fail("has samples that its type does not have"),
        }
    }

    fn all_named(&self, names: &[&str]) -> bool {
        self.samples
            .iter()
            .all(|sample| names.contains(&&*sample.name))
    }

    fn check_counts(&self) -> Result<(), String> {
        if self.samples.iter().any(|sample| sample.value < 0.0) {
            return Err(format!("{} counts below zero", self.name));
        }
        Ok(())
    }

    /// One histogram without labels of its own: bounds rise up to `+Inf`, counts never fall, and the last one counts all.
    fn check_histogram(&self) -> Result<(), String> {
        let fail = |fault: &str| Err(format!("{} {fault}", self.name));
        let named = |suffix: &str| {
            let name = format!("{}_{suffix}", self.name);
            let found = self
                .samples
                .iter()
                .filter(move |sample| sample.name == name);
            found.collect::<Vec<_>>()
        };
        let (sums, counts, buckets) = (named("sum"), named("count"), named("bucket"));
        if sums.len() != 1
            || counts.len() != 1
            || sums.len() + counts.len() + buckets.len() != self.samples.len()
        {
            return fail("is not a histogram");
        }
        if !sums[0].labels.is_empty() || !counts[0].labels.is_empty() {
            return fail("has labels where none belong");
        }
        let mut bounds = Vec::new();
        for bucket in &buckets {
            match bucket.labels.get("le").and_then(|bound| number(bound)) {
                Some(bound) if bucket.labels.len() == 1 => bounds.push((bound, bucket.value)),
                _ => return fail("has a bucket without a bound"),
            }
        }
        if !bounds.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1) {
            return fail("has buckets that do not rise");
        }
        if bounds.last() != Some(&(f64::INFINITY, counts[0].value)) {
            return fail("does not count all in its last bucket");
        }
        Ok(())
    }
}

/// A reader that takes everything proves nothing.
#[test]
fn what_is_no_exposition_is_refused() {
    let good = "# HELP a_seconds A.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\na_seconds_sum 1.5\na_seconds_count 2\n\
        a_seconds_bucket{le=\"1.0\"} 1\na_seconds_bucket{le=\"+Inf\"} 2\n# HELP b B.\n# TYPE b counter\nb_total{x=\"y\"} 1\n\
        # HELP c C.\n# TYPE c gauge\nc -1\n# EOF\n";
    assert_eq!(
        read(good, Form::OpenMetrics).map(|families| families.len()),
        Ok(3)
    );
    for (what, by) in [
        ("# EOF\n", ""),
        ("# HELP b B.\n", ""),
        ("# TYPE b counter\n", ""),
        ("# TYPE b counter", "# TYPE b gauge"),
        ("b_total{", "b{"),
        ("x=\"y\"", "x=y"),
        ("x=\"y\"", "x=\"y\",x=\"y\""),
        ("x=\"y\"} 1", "x=\"y\"} one"),
        ("x=\"y\"} 1", "x=\"y\"} -1"),
        ("x=\"y\"} 1", "x=\"y\"}1"),
        ("b_total{x=\"y\"} 1\n", ""),
        ("le=\"1.0\"} 1", "le=\"1.0\"} 3"),
        ("le=\"+Inf\"} 2", "le=\"+Inf\"} 3"),
        ("le=\"+Inf\"", "le=\"2.0\""),
        ("le=\"1.0\"", "gt=\"1.0\""),
        ("a_seconds_sum 1.5\n", ""),
        ("UNIT a_seconds seconds", "UNIT a_seconds bytes"),
        ("# UNIT a_seconds seconds\n", "# LINE a_seconds seconds\n"),
        (
            "# HELP c C.\n# TYPE c gauge\nc -1\n",
            "# HELP b B.\n# TYPE b gauge\nb -1\n",
        ),
        ("c -1\n", "c -1\n\n"),
        ("c -1\n", "c -1\nc -1\n"),
        ("c -1\n", "c -1"),
    ] {
        let bad = good.replacen(what, by, 1);
        assert_ne!(bad, good);
        assert!(read(&bad, Form::OpenMetrics).is_err(), "{bad}");
    }
    let text = good
        .replace("# UNIT a_seconds seconds\n", "")
        .replace("# EOF\n", "")
        .replace(" b ", " b_total ");
    assert_eq!(
        read(&text, Form::Text).map(|families| families.len()),
        Ok(3)
    );
    for bad in [
        good.to_owned(),
        text.replace(" b_total ", " b "),
        text.clone() + "# EOF\n",
    ] {
        assert!(read(&bad, Form::Text).is_err(), "{bad}");
    }
}
