//! What an encoder promises.

use std::collections::BTreeMap;

use lglp_sdk::{Architecture, Sampler, SearchSpace};

use super::guarded::{Against, Guarded};
use super::together::{THREADS, any_differs};
use super::{Check, ELSEWHERE, Subject, Verdict, difference, memory};
use crate::host::{EncoderInstance, Matrix, PluginError};
use crate::networks;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "shapes",
        about: "it encodes every search space, or says why not, in finite numbers of the shape that it tells",
        run: shapes,
    },
    Check {
        name: "deterministic",
        about: "the same architectures give the same numbers, from another instance, too",
        run: deterministic,
    },
    Check {
        name: "batches",
        about: "a batch gives what its rows give, and an empty one nothing",
        run: batches,
    },
    Check {
        name: "threads",
        about: "eight threads at once get what one gets",
        run: threads,
    },
    Check {
        name: "bounds",
        about: "it writes to its tensor and to nothing beside it, and reads nothing beside its rows",
        run: bounds,
    },
    Check {
        name: "memory",
        about: "memory does not grow over 10,000 calls",
        run: memory_grows,
    },
    Check {
        name: "features",
        about: "its columns differ between architectures",
        run: features,
    },
];

/// Architectures that are looked at.
const SOME: usize = 64;
const MANY: usize = 1_000;

/// A space that it takes, the encoder, and architectures.
struct Taken<'a> {
    space: &'a SearchSpace,
    encoder: EncoderInstance,
    some: Vec<Architecture>,
}

/// The first space that it takes; an error where there is none.
fn taken(subject: &Subject, count: usize) -> Result<Taken<'_>, PluginError> {
    let mut refused = None;
    for space in &subject.spaces {
        match EncoderInstance::new(&subject.handle, space, &subject.parameters) {
            Ok(encoder) => {
                let some = networks::some(space, Sampler::new(space, 1), count);
                return Ok(Taken { space, encoder, some });
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| PluginError::Rejected("there is no search space to try it on".into())))
}

fn shapes(subject: &Subject) -> Result<Verdict, PluginError> {
    let (mut told, mut refused, mut first) = (Vec::new(), BTreeMap::new(), None);
    for space in &subject.spaces {
        let encoder = match EncoderInstance::new(&subject.handle, space, &subject.parameters) {
            Ok(encoder) => encoder,
            Err(error @ PluginError::Panicked { .. }) => return Err(error),
            Err(error) => {
                refused.insert(space.name().to_owned(), error.to_string());
                first = first.or(Some(error));
                continue;
            }
        };
        let some = networks::some(space, Sampler::new(space, 1), SOME);
        let encoded = encoder.encode(some.iter())?;
        if let Some(at) = encoded.data.iter().position(|value| !value.is_finite()) {
            let (row, column) = (at / encoded.shape.len(), at % encoded.shape.len());
            let text = space.canonical_text(&some[row]);
            return Ok(Verdict::Failed(format!(
                "column {column} of {text} is {}",
                encoded.data[at]
            )));
        }
        if encoded.shape.is_empty() {
            return Ok(Verdict::Failed(format!("its shape is empty in `{}`", space.name())));
        }
        told.push(format!(
            "{} {}x{}",
            space.name(),
            encoded.shape.steps,
            encoded.shape.width
        ));
    }
    let refusals = refused.iter().map(|(space, why)| format!("not `{space}`: {why}"));
    let refusals: Vec<String> = refusals.collect();
    if let (true, Some(error)) = (told.is_empty(), first) {
        return Err(error);
    }
    Ok(Verdict::Passed(match refusals.is_empty() {
        true => told.join(", "),
        false => format!("{}; {}", told.join(", "), refusals.join("; ")),
    }))
}

fn deterministic(subject: &Subject) -> Result<Verdict, PluginError> {
    let Taken { space, encoder, some } = taken(subject, SOME)?;
    let first = encoder.encode(some.iter())?;
    let again = encoder.encode(some.iter())?;
    let other = EncoderInstance::new(&subject.handle, space, &subject.parameters)?.encode(some.iter())?;
    for (whose, next) in [("the same", again), ("another", other)] {
        if let Some(at) = difference(&first.data, &next.data) {
            let text = space.canonical_text(&some[at / first.shape.len()]);
            return Ok(Verdict::Failed(format!("{whose} instance encodes {text} otherwise")));
        }
    }
    Ok(Verdict::Passed(format!("{} architectures", some.len())))
}

fn batches(subject: &Subject) -> Result<Verdict, PluginError> {
    let Taken { encoder, some, space } = taken(subject, SOME)?;
    let nothing = encoder.encode(some[..0].iter())?;
    if nothing.rows != 0 || !nothing.data.is_empty() {
        return Ok(Verdict::Failed("an empty batch is not empty".to_owned()));
    }
    let whole = encoder.encode(some.iter())?;
    for (row, architecture) in some.iter().enumerate() {
        let alone = encoder.encode(std::iter::once(architecture))?;
        let of_batch = whole.part(&[row]);
        if difference(&alone.data, &of_batch.data).is_some() {
            let text = space.canonical_text(architecture);
            return Ok(Verdict::Failed(format!(
                "alone {text} is encoded otherwise than in a batch"
            )));
        }
    }
    Ok(Verdict::Passed(format!("{} architectures", some.len())))
}

fn threads(subject: &Subject) -> Result<Verdict, PluginError> {
    let Taken { encoder, some, .. } = taken(subject, SOME)?;
    // Each thread has an order of its own: what they share by mistake is another's then.
    let order = |thread: usize| [&some[thread..], &some[..thread]].concat();
    let orders = (0..THREADS.min(some.len())).map(|thread| {
        let order = order(thread);
        let alone = encoder.encode(order.iter())?;
        Ok((order, alone))
    });
    let orders: Vec<(Vec<Architecture>, Matrix)> = orders.collect::<Result<_, PluginError>>()?;
    let differs = |(order, alone): &(Vec<Architecture>, Matrix)| {
        let beside = encoder.encode(order.iter())?;
        Ok(difference(&beside.data, &alone.data).is_some())
    };
    if any_differs(subject, &orders, differs)? {
        return Ok(Verdict::Failed(
            "beside other threads it encodes otherwise than alone".to_owned(),
        ));
    }
    Ok(Verdict::Passed(format!("{THREADS} threads")))
}

fn bounds(subject: &Subject) -> Result<Verdict, PluginError> {
    if subject.handle.is_isolated() {
        return Ok(Verdict::Skipped(ELSEWHERE.to_owned()));
    }
    let mut spaces = 0;
    for space in &subject.spaces {
        let Ok(encoder) = EncoderInstance::new(&subject.handle, space, &subject.parameters) else {
            continue;
        };
        spaces += 1;
        let some = networks::some(space, Sampler::new(space, 2), 3);
        for (against, count) in Against::BOTH
            .into_iter()
            .flat_map(|against| [1, some.len()].map(|n| (against, n)))
        {
            encoder.encode_guarded(&some[..count], against)?;
        }
    }
    Ok(Verdict::Passed(format!("{spaces} spaces, both sides")))
}

impl EncoderInstance {
    /// Encodes architectures from and into memory that ends where it is used.
    fn encode_guarded(&self, architectures: &[Architecture], against: Against) -> Result<(), PluginError> {
        let zeros = |values: usize| Guarded::copy(&vec![0f32; values], against);
        if self.reads_operators() {
            let tables = self.tables(architectures.iter())?;
            return self.encode_tables_into(&tables, zeros).map(drop);
        }
        let rows: Vec<u8> = architectures.iter().flat_map(Architecture::row).copied().collect();
        let rows = Guarded::read_only(&rows, against)?;
        let mut out = zeros(architectures.len() * self.shape().len())?;
        self.encode_rows(&rows, &mut out)
    }
}

fn memory_grows(subject: &Subject) -> Result<Verdict, PluginError> {
    let Taken { encoder, some, space } = taken(subject, SOME)?;
    let mut at = 0;
    memory::grows(subject, || {
        at += 1;
        let one = &some[at % some.len()..][..1];
        if at % 16 == 0 {
            EncoderInstance::new(&subject.handle, space, &subject.parameters)?.encode(one.iter())?;
        }
        encoder.encode(one.iter()).map(drop)
    })
}

fn features(subject: &Subject) -> Result<Verdict, PluginError> {
    let Taken { encoder, some, space } = taken(subject, MANY)?;
    let encoded: Matrix = encoder.encode(some.iter())?;
    let columns = encoded.shape.len();
    let is_constant = |column: &usize| {
        let mut values = encoded.data.iter().skip(*column).step_by(columns);
        let first = values.next();
        values.all(|value| Some(value) == first)
    };
    let constant = (0..columns).filter(is_constant).count();
    Ok(match constant {
        constant if constant == columns => Verdict::Failed(format!(
            "all {columns} columns are the same for every architecture of `{}`",
            space.name()
        )),
        0 => Verdict::Passed(format!("{columns} columns")),
        constant => Verdict::Warned(format!(
            "{constant} of {columns} columns are the same for {} architectures of `{}`",
            some.len(),
            space.name()
        )),
    })
}
