//! What a model expects of an answer, in words for error messages. It comes from the model alone,
//! never from data.

use super::plan::{Input, Part, Source};
use super::program::{self, Scalar, TermKind};

pub(super) fn one_of<'s>(values: impl Iterator<Item = &'s Scalar>) -> String {
    let mut all: Vec<String> = values
        .map(|v| match v {
            Scalar::Bool(b) => b.to_string(),
            Scalar::Int(i) => i.to_string(),
            Scalar::Str(s) => format!("'{s}'"),
        })
        .collect();
    let more = all.len().saturating_sub(12);
    all.truncate(12);
    let tail = if more > 0 { format!(" or {more} more") } else { String::new() };
    format!("one of {}{tail}", all.join(", "))
}

pub(super) fn expected(kind: &TermKind, inputs: &[Input], used: &[usize]) -> String {
    let number = || {
        let texts = used.iter().filter_map(|&i| inputs.get(i)).map(number_text);
        texts.collect::<Vec<_>>().join(" and ")
    };
    match kind {
        TermKind::Levels { levels } => one_of(levels.iter().flat_map(|l| &l.values)),
        TermKind::Bins { bins } => {
            let bins: Vec<String> = bins.iter().take(12).map(bin_text).collect();
            format!("{} in {}", number(), bins.join(" or "))
        }
        TermKind::Linear { .. } | TermKind::Product { .. } => number(),
        TermKind::Table { rows, columns, .. } => {
            format!("{} with {}", one_of(rows.iter().flatten()), one_of(columns.iter().flatten()))
        }
    }
}

fn number_text(input: &Input) -> String {
    match input.source {
        Source::Column(part) => part_text(part),
        Source::Ratio(a, b, range) => {
            let range = range_text(range);
            format!("the ratio of {} to {}{range}", part_text(a), part_text(b))
        }
    }
}

fn part_text(part: Part) -> String {
    let what = if part.integer { "a whole number" } else { "a finite number" };
    format!("{what}{}", range_text(part.range))
}

fn range_text(range: [f64; 2]) -> String {
    match range.map(|end| end.is_finite().then_some(end)) {
        [Some(a), Some(b)] => format!(" from {a} to {b}"),
        [Some(a), None] => format!(" of at least {a}"),
        [None, Some(b)] => format!(" of at most {b}"),
        [None, None] => String::new(),
    }
}

fn bin_text(bin: &program::Bin) -> String {
    let low = match (bin.ge, bin.gt) {
        (Some(e), _) => format!("[{e}"),
        (_, Some(e)) => format!("({e}"),
        _ => "(-inf".into(),
    };
    let high = match (bin.le, bin.lt) {
        (Some(e), _) => format!("{e}]"),
        (_, Some(e)) => format!("{e})"),
        _ => "inf)".into(),
    };
    format!("{low}, {high}")
}
