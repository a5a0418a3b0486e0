//! What extractors and regressors promise.

use lglp_sdk::plugin::Shape;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::guarded::{Against, Guarded};
use super::sample::Sample;
use super::together::{THREADS, any_differs};
use super::{Check, ELSEWHERE, Subject, Verdict, difference, memory};
use crate::host::{ComponentKind, FittedInstance, Matrix, PluginError};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "learns",
        about: "what it learned tells rows that it does not know better than their mean does",
        run: learns,
    },
    Check {
        name: "deterministic",
        about: "the same seed and data give the same state",
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
        name: "round-trip",
        about: "what it saved it loads, and says the same",
        run: round_trip,
    },
    Check {
        name: "damaged-state",
        about: "it refuses state that is cut off or of another version, and survives flipped bits",
        run: damaged,
    },
    Check {
        name: "not-numbers",
        about: "NaN and infinity in one row leave the others as they are",
        run: not_numbers,
    },
    Check {
        name: "widths",
        about: "it refuses rows of another width than it was fitted on",
        run: widths,
    },
    Check {
        name: "bounds",
        about: "where it predicts or extracts, it reads and writes nothing beside its tensors, and leaves its inputs as they are",
        run: bounds,
    },
    Check {
        name: "memory",
        about: "memory does not grow over 10,000 calls",
        run: memory_grows,
    },
];

/// Bytes at the front of a state, where its lengths mostly are, and bits that are flipped anywhere.
const FRONT: usize = 64;
const FLIPPED: usize = 256;

/// What it says of rows, whichever of both it is: predictions, or features.
fn told(fitted: &FittedInstance, inputs: &Matrix) -> Result<Vec<f64>, PluginError> {
    match fitted.handle().kind() {
        ComponentKind::FeatureExtractor => {
            let features = fitted.extract(inputs)?;
            Ok(features.data.iter().map(|value| f64::from(*value)).collect())
        }
        _ => fitted.predict(inputs),
    }
}

/// How far values of single precision, added in another order, may lie apart.
const NEARLY: f64 = 1e-4;

fn nearly_equal(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() <= NEARLY * (1.0 + a.abs().max(b.abs())))
}

fn learns(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let (test, targets) = (sample.test(), sample.test_targets());
    let told = told(&fitted, &test)?;
    if let Some(at) = told.iter().position(|value| !value.is_finite()) {
        return Ok(Verdict::Failed(format!("it says {} of row {at}", told[at])));
    }
    if subject.handle.kind() == ComponentKind::FeatureExtractor {
        let width = told.len() / test.rows.max(1);
        let strongest = (0..width).map(|column| {
            let column: Vec<f64> = told.iter().skip(column).step_by(width).copied().collect();
            correlation(&column, targets).abs()
        });
        let strongest = strongest.fold(0.0, f64::max);
        let said = format!("of {width} features one correlates with the targets by {strongest:.2}");
        return Ok(match strongest {
            0.0 => Verdict::Failed("its features are the same for all rows".to_owned()),
            // Others may tell it together.
            ..0.5 => Verdict::Warned(said),
            _ => Verdict::Passed(said),
        });
    }
    let error = |value: &dyn Fn(usize) -> f64| {
        let squares = (0..targets.len()).map(|row| (value(row) - targets[row]).powi(2));
        (squares.sum::<f64>() / targets.len() as f64).sqrt()
    };
    let (own, trivial) = (error(&|row| told[row]), error(&|_| sample.mean()));
    let said = format!("an error of {own:.3}, where the mean has {trivial:.3}");
    Ok(match own < 0.98 * trivial {
        true => Verdict::Passed(said),
        false => Verdict::Failed(said),
    })
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| of(a - mean_a, b - mean_b)).sum::<f64>();
    let (both, squares_a, squares_b) = (sum(&|a, b| a * b), sum(&|a, _| a * a), sum(&|_, b| b * b));
    match squares_a * squares_b > 0.0 {
        true => both / (squares_a * squares_b).sqrt(),
        false => 0.0,
    }
}

fn deterministic(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    if subject.is_late(45) {
        return Ok(Verdict::Skipped(
            "a fit takes too long to be made twice: give it more time by --limit".to_owned(),
        ));
    }
    let again = sample.fit(subject)?;
    if fitted.save()? != again.save()? {
        return Ok(Verdict::Failed("two fits gave two states".to_owned()));
    }
    let test = sample.test();
    let (first, second) = (told(&fitted, &test)?, told(&fitted, &test)?);
    Ok(match difference(&first, &second) {
        Some(at) => Verdict::Failed(format!("it said {}, and then {}", first[at], second[at])),
        None => Verdict::Passed("two fits, two answers".to_owned()),
    })
}

fn batches(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let test = sample.test();
    if !told(&fitted, &test.part(&[]))?.is_empty() {
        return Ok(Verdict::Failed("an empty batch is not empty".to_owned()));
    }
    let whole = told(&fitted, &test)?;
    let each = whole.len() / test.rows;
    for row in 0..test.rows {
        let alone = told(&fitted, &test.part(&[row]))?;
        if !nearly_equal(&alone, &whole[row * each..][..each]) {
            let said = format!(
                "it says {} of row {row} alone, and {} in a batch",
                alone[0],
                whole[row * each]
            );
            return Ok(Verdict::Failed(said));
        }
    }
    Ok(Verdict::Passed(format!("{} rows", test.rows)))
}

fn threads(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let test = sample.test();
    // Each thread has an order of its own: what they share by mistake is another's then.
    let order = |thread: usize| test.part(&(thread..test.rows).chain(0..thread).collect::<Vec<_>>());
    let orders = (0..THREADS).map(|thread| {
        let order = order(thread);
        let alone = told(&fitted, &order)?;
        Ok((order, alone))
    });
    let orders: Vec<(Matrix, Vec<f64>)> = orders.collect::<Result<_, PluginError>>()?;
    let differs = |(order, alone): &(Matrix, Vec<f64>)| Ok(!nearly_equal(&told(&fitted, order)?, alone));
    if any_differs(subject, &orders, differs)? {
        return Ok(Verdict::Failed(
            "beside other threads it says something else than alone".to_owned(),
        ));
    }
    Ok(Verdict::Passed(format!("{THREADS} threads")))
}

fn round_trip(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let state = fitted.save()?;
    let loaded = FittedInstance::load(&subject.handle, subject.handle.state_version(), &state)?;
    let test = sample.test();
    let (first, second) = (told(&fitted, &test)?, told(&loaded, &test)?);
    if let Some(at) = difference(&first, &second) {
        let said = format!("it says {}, and once it was loaded {}", first[at], second[at]);
        return Ok(Verdict::Failed(said));
    }
    Ok(match loaded.save()? == state {
        true => Verdict::Passed(format!("{} bytes", state.len())),
        false => Verdict::Warned("once it was loaded it saves another state".to_owned()),
    })
}

fn damaged(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let (state, version) = (fitted.save()?, subject.handle.state_version());
    if state.is_empty() {
        return Ok(Verdict::Skipped("it has no state".to_owned()));
    }
    let test = sample.test();
    // What it makes of a state is used, too; reading beyond its end ends the process.
    let load = |version: u32, state: &[u8]| {
        let state = Guarded::read_only(state, Against::End)?;
        let loaded = FittedInstance::load(&subject.handle, version, &state)?;
        told(&loaded, &test)
    };
    let is_taken = |version: u32, state: &[u8]| match load(version, state) {
        Ok(_) => Ok(true),
        Err(error @ PluginError::Panicked { .. }) => Err(error),
        Err(_) => Ok(false),
    };
    let length = state.len();
    let mut cuts = vec![0, 1, length / 2, length - (length / 16).max(1)];
    cuts.retain(|cut| *cut < length);
    for cut in cuts {
        if is_taken(version, &state[..cut])? {
            return Ok(Verdict::Failed(format!("it takes the first {cut} of {length} bytes")));
        }
    }
    if is_taken(version.wrapping_add(1000), &state)? {
        return Ok(Verdict::Failed(
            "it takes its state as of a version that it does not have".to_owned(),
        ));
    }
    let (mut made, mut noticed) = (0, 0);
    for damaged in damages(&state) {
        if subject.is_late(80) {
            break;
        }
        made += 1;
        noticed += usize::from(!is_taken(version, &damaged)?);
    }
    Ok(Verdict::Passed(format!("of {made} damages it notices {noticed}")))
}

/// States that are damaged: a few bytes less or more, numbers at the front that are as large as can be, single bits.
fn damages(state: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cut = [1, 4, 8].into_iter().filter(|bytes| *bytes < state.len());
    let cut = cut.map(|bytes| state[..state.len() - bytes].to_vec());
    let longer = std::iter::once([state, &[0; 8]].concat());
    let large = (0..state.len().min(FRONT)).step_by(4).map(|at| {
        let mut damaged = state.to_vec();
        let end = state.len().min(at + 8);
        damaged[at..end].fill(0xff);
        damaged
    });
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let front = 0..8 * state.len().min(FRONT);
    let anywhere = (0..FLIPPED).map(move |_| random.random_range(0..8 * state.len()));
    let flipped = front.chain(anywhere).map(|bit| {
        let mut damaged = state.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        damaged
    });
    cut.chain(longer).chain(large).chain(flipped)
}

fn not_numbers(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let test = sample.test();
    let before = told(&fitted, &test)?;
    let each = before.len() / test.rows;
    let mut noticed = 0;
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut spoilt = test.clone();
        let length = spoilt.shape.len();
        spoilt.data[..length].fill(value);
        match told(&fitted, &spoilt) {
            Ok(after) if nearly_equal(&before[each..], &after[each..]) => {}
            Ok(_) => {
                return Ok(Verdict::Failed(format!(
                    "a row of {value} changes what it says of others"
                )));
            }
            Err(error @ PluginError::Panicked { .. }) => return Err(error),
            Err(_) => noticed += 1,
        }
    }
    Ok(Verdict::Passed(match noticed {
        0 => "it goes on".to_owned(),
        _ => "it refuses them".to_owned(),
    }))
}

fn widths(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let test = sample.test();
    for width in [test.shape.width + 1, test.shape.width - 1] {
        let shape = Shape { width, ..test.shape };
        let other = Matrix {
            data: vec![0.5; 4 * shape.len()],
            rows: 4,
            shape,
        };
        match told(&fitted, &other) {
            Ok(_) => {
                let said = format!("it was fitted on {} columns and takes {width}", test.shape.width);
                return Ok(match subject.handle.kind() {
                    // It may have nothing to do with how many there are.
                    ComponentKind::FeatureExtractor => Verdict::Warned(said),
                    _ => Verdict::Failed(said),
                });
            }
            Err(error @ PluginError::Panicked { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(Verdict::Passed("one more, one less".to_owned()))
}

fn bounds(subject: &Subject) -> Result<Verdict, PluginError> {
    if subject.handle.is_isolated() {
        return Ok(Verdict::Skipped(ELSEWHERE.to_owned()));
    }
    let (sample, fitted) = Sample::suiting(subject)?;
    let test = sample.test();
    for (against, rows) in Against::BOTH
        .into_iter()
        .flat_map(|against| [1, 3].map(|rows| (against, rows)))
    {
        let some = test.part(&(0..rows).collect::<Vec<_>>());
        let inputs = Guarded::read_only(&some.data, against)?;
        let of = some.dimensions();
        if subject.handle.kind() == ComponentKind::FeatureExtractor {
            let zeros = vec![0f32; rows * fitted.outputs()?];
            fitted.extract_into(&inputs, of, &mut Guarded::copy(&zeros, against)?)?;
        } else {
            fitted.predict_into(&inputs, of, &mut Guarded::copy(&vec![0f64; rows], against)?)?;
        }
    }
    Ok(Verdict::Passed("both sides".to_owned()))
}

fn memory_grows(subject: &Subject) -> Result<Verdict, PluginError> {
    let (sample, fitted) = Sample::suiting(subject)?;
    let (one, state, version) = (sample.test().part(&[0]), fitted.save()?, subject.handle.state_version());
    let mut at = 0;
    memory::grows(subject, || {
        at += 1;
        if at % 64 == 0 {
            told(&FittedInstance::load(&subject.handle, version, &state)?, &one)?;
        }
        told(&fitted, &one).map(drop)
    })
}
