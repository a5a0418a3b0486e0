//! The regressor `additive` against an implementation of its own in numpy, and what it promises: parts that sum to the whole,
//! predictions that survive saving.

use lglp_engine::host::{
    ComponentKind, EncoderInstance, FitData, FittedInstance, LabelledRows, Matrix, PluginError, PluginHost, choose,
};
use lglp_engine::train::Metrics;
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use lglp_tests::{HARDWARE, program, reference, release, root};
use serde_json::{Value, json};

/// Columns of an operator.
const WIDTH: usize = 15;

struct Part {
    inputs: Matrix,
    latencies_ms: Vec<f64>,
}

impl Part {
    /// The table of each network, without the zeros behind its last operator.
    fn tables(&self) -> Vec<Vec<&[f32]>> {
        let rows = self.inputs.data.chunks_exact(self.inputs.shape.len());
        rows.map(|row| row.chunks_exact(WIDTH).take_while(|step| step[0] != 0.0).collect())
            .collect()
    }
}

fn host() -> PluginHost {
    PluginHost::open(&release().join("plugins"), &program()).expect("`make build`")
}

fn space() -> SearchSpace {
    let space = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    SearchSpace::from_toml(&space).expect("a consistent space")
}

/// Shipped measurements as tables of operators, from one to another.
fn part(host: &PluginHost, from: usize, count: usize) -> Part {
    let space = space();
    let path = root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(path).expect("the shipped dataset");
    let rows: Vec<Value> = text
        .lines()
        .skip(from)
        .take(count)
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let architecture = |m: &Value| {
        let text = m["architecture"].as_str().expect("canonical text");
        space.architecture_from_text(text).expect("an architecture")
    };
    let architectures: Vec<Architecture> = rows.iter().map(architecture).collect();
    let handle = host.component(ComponentKind::Encoder, "operators").expect("an encoder");
    let encoder = EncoderInstance::new(&handle, &space, &json!({})).expect("an encoder");
    Part {
        inputs: encoder.encode(architectures.iter()).expect("encoded"),
        latencies_ms: rows.iter().map(|m| m["latency_ms"].as_f64().expect("ms")).collect(),
    }
}

fn fit(host: &PluginHost, train: &Part) -> FittedInstance {
    fit_from(host, train, &[]).expect("a fit")
}

/// A fit that begins with what others are the states of.
fn fit_from(host: &PluginHost, train: &Part, priors: &[Vec<u8>]) -> Result<FittedInstance, PluginError> {
    let none = Matrix {
        data: Vec::new(),
        rows: 0,
        shape: train.inputs.shape,
    };
    let data = FitData {
        train: LabelledRows {
            inputs: &train.inputs,
            targets: &train.latencies_ms,
        },
        validation: LabelledRows {
            inputs: &none,
            targets: &[],
        },
        seed: 0,
        progress: &mut |_| true,
    };
    let handle = host
        .component(ComponentKind::Regressor, "additive")
        .expect("a regressor");
    FittedInstance::fit_from(&handle, &json!({}), data, priors)
}

fn assert_near(ours: &[f64], theirs: &Value, what: &str) {
    let theirs: Vec<f64> = serde_json::from_value(theirs.clone()).expect("numbers");
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert!(
            (ours - theirs).abs() <= 1e-6 * theirs.abs(),
            "{what}: {ours} here, {theirs} in numpy"
        );
    }
}

#[test]
#[ignore = "takes long"]
fn a_fit_to_few_rows_is_that_of_numpy() {
    let host = host();
    let (train, test) = (part(&host, 0, 18), part(&host, 100, 40));
    let fitted = fit(&host, &train);
    let input = json!({ "train": train.tables(), "targets": train.latencies_ms, "test": test.tables() });
    let numpy: Value = serde_json::from_str(&reference("additive.py", &[], &input.to_string())).expect("JSON");
    let left_out = fitted.leave_one_out(18).expect("no failure").expect("it is offered");
    let predicted: Vec<f64> = left_out.iter().map(|row| row.predicted).collect();
    assert_near(&predicted, &numpy["left_out"], "a row that is left out");
    let spreads: Vec<f64> = left_out.iter().map(|row| row.spread).collect();
    assert_near(
        &spreads,
        &numpy["left_out_spreads"],
        "the spread of a row that is left out",
    );
    assert_near(
        &fitted.predict(&test.inputs).expect("predictions"),
        &numpy["predicted"],
        "a prediction",
    );
    let spread = fitted
        .predict_spread(&test.inputs)
        .expect("no failure")
        .expect("it is offered");
    assert_near(&spread.predicted, &numpy["predicted"], "a prediction with its spread");
    // Kept as float32.
    assert_near(&spread.spreads, &numpy["spreads"], "a spread");
}

/// Of each operator of each network what it takes, in the order of [`Part::tables`].
fn times(source: &FittedInstance, part: &Part) -> Vec<Vec<f64>> {
    let parts = source
        .contributions(&part.inputs)
        .expect("no failure")
        .expect("it is offered");
    let of_each = parts.chunks_exact(part.inputs.shape.steps + 1).zip(part.tables());
    of_each.map(|(parts, table)| parts[..table.len()].to_vec()).collect()
}

#[test]
#[ignore = "takes long"]
fn a_fit_that_begins_with_another_target_is_that_of_numpy() {
    let host = host();
    let mut elsewhere = part(&host, 100, 40);
    elsewhere.latencies_ms.iter_mut().for_each(|latency| *latency *= 3.0);
    let (train, test) = (part(&host, 0, 18), part(&host, 200, 40));
    let source = fit(&host, &elsewhere);
    let fitted = fit_from(&host, &train, &[source.save().expect("a state")]).expect("a fit");
    let input = json!({
        "train": train.tables(), "targets": train.latencies_ms, "test": test.tables(),
        "source": {
            "tables": elsewhere.tables(), "train": times(&source, &train), "test": times(&source, &test),
            "own": times(&source, &elsewhere),
        },
    });
    let numpy: Value = serde_json::from_str(&reference("additive.py", &[], &input.to_string())).expect("JSON");
    let predicted = fitted.predict(&test.inputs).expect("predictions");
    assert_near(&predicted, &numpy["predicted"], "a prediction");
    let left_out = fitted.leave_one_out(18).expect("no failure").expect("it is offered");
    let left_out: Vec<f64> = left_out.iter().map(|row| row.predicted).collect();
    assert_near(&left_out, &numpy["left_out"], "a row that is left out");
    // It is another fit than that without the source, which left-out rows were judged worse by.
    let alone = fit(&host, &train).predict(&test.inputs).expect("predictions");
    assert!(alone.iter().zip(&predicted).any(|(a, b)| (a / b - 1.0).abs() > 1e-3));
}

#[test]
fn totals_are_the_sums_over_the_table_of_operators() {
    let host = host();
    let space = space();
    let architectures: Vec<Architecture> = Sampler::new(&space, 3).take(20).collect();
    let encode = |name: &str| {
        let handle = host.component(ComponentKind::Encoder, name).expect("an encoder");
        let encoder = EncoderInstance::new(&handle, &space, &json!({})).expect("the space has operators");
        encoder.encode(architectures.iter()).expect("tables")
    };
    let (tables, totals) = (encode("operators"), encode("totals"));
    assert_eq!((totals.shape.steps, totals.shape.width), (1, 41));
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs();
    let rows = tables
        .data
        .chunks_exact(tables.shape.len())
        .zip(totals.data.chunks_exact(41));
    for (table, totals) in rows {
        // Launches, multiply-accumulates, activations and weights are the last four columns of an operator; its kind is the first.
        for (amount, column) in (11..15).enumerate() {
            let of = |kind: Option<f32>| -> f64 {
                let steps = table.chunks_exact(tables.shape.width);
                let own = steps.filter(|step| step[11] > 0.0 && kind.is_none_or(|kind| step[0] == kind));
                own.map(|step| f64::from(step[column])).sum()
            };
            assert!(close(f64::from(totals[amount]), of(None)));
            let depthwise = f64::from(totals[4 * 3 + amount]);
            assert!(
                depthwise > 0.0 && close(depthwise, of(Some(3.0))),
                "{depthwise} is not {}",
                of(Some(3.0))
            );
        }
        assert_eq!(totals[40], table[6], "the side of the input");
    }
}

#[test]
fn parts_sum_to_the_prediction_and_both_survive_saving() {
    let host = host();
    let (train, test) = (part(&host, 0, 120), part(&host, 200, 30));
    let fitted = fit(&host, &train);
    let predicted = fitted.predict(&test.inputs).expect("predictions");
    let parts = fitted
        .contributions(&test.inputs)
        .expect("no failure")
        .expect("it is offered");
    for (parts, predicted) in parts.chunks_exact(test.inputs.shape.steps + 1).zip(&predicted) {
        let sum: f64 = parts.iter().sum();
        assert!((sum - predicted).abs() < 1e-9 * predicted, "{sum} against {predicted}");
    }
    let handle = host
        .component(ComponentKind::Regressor, "additive")
        .expect("a regressor");
    let state = fitted.save().expect("a state");
    let loaded = FittedInstance::load(&handle, handle.state_version(), &state).expect("the state is read");
    assert_eq!(
        loaded.predict(&test.inputs).expect("predictions"),
        predicted,
        "to the last bit"
    );
    assert_eq!(
        loaded.leave_one_out(120).expect("no failure"),
        None,
        "a loaded one does not know its rows"
    );
    // People can read what an operator takes.
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    let operator = &state["operators"][0];
    assert_eq!(
        (&operator["kind"], &operator["kernel"]),
        (&json!("convolution"), &json!(3)),
        "{operator}"
    );
    assert!(operator["us"].as_f64().is_some_and(|us| us > 0.0), "{operator}");
    // The same data give the same state.
    assert!(fit(&host, &train).save().expect("a state") == fitted.save().expect("a state"));
}

/// Twenty networks that are chosen teach more than twenty drawn at random; both are judged on networks that neither has.
#[test]
fn chosen_measurements_teach_more_than_random_ones() {
    let host = host();
    let (pool, judged) = (part(&host, 0, 300), part(&host, 300, 200));
    let none = rows_of(&pool, &[]);
    let handle = host
        .component(ComponentKind::Regressor, "additive")
        .expect("a regressor");
    let chosen = choose(&handle, &json!({}), &none.inputs, &pool.inputs, &[], 20)
        .expect("no failure")
        .expect("it is offered");
    let mut distinct = chosen.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 20, "{chosen:?}");
    let error = |rows: &[usize]| {
        let predicted = fit(&host, &rows_of(&pool, rows))
            .predict(&judged.inputs)
            .expect("predictions");
        Metrics::of(&judged.latencies_ms, &predicted).mape
    };
    // The order of the file is that of digests, which is random.
    let random: f64 = (0..5)
        .map(|draw| error(&(20 * draw..20 * draw + 20).collect::<Vec<_>>()))
        .sum::<f64>()
        / 5.0;
    let ours = error(&chosen);
    assert!(ours < random, "{ours:.2} % against {random:.2} %");
    // What was measured before is not chosen for what it tells again.
    let more = choose(
        &handle,
        &json!({}),
        &rows_of(&pool, &chosen).inputs,
        &pool.inputs,
        &[],
        10,
    );
    let more = more.expect("no failure").expect("it is offered");
    assert!(more.iter().all(|at| !chosen.contains(at)), "{more:?} after {chosen:?}");
}

/// Some rows of a part.
fn rows_of(part: &Part, rows: &[usize]) -> Part {
    let len = part.inputs.shape.len();
    Part {
        inputs: Matrix {
            data: rows
                .iter()
                .flat_map(|at| &part.inputs.data[at * len..][..len])
                .copied()
                .collect(),
            rows: rows.len(),
            shape: part.inputs.shape,
        },
        latencies_ms: rows.iter().map(|at| part.latencies_ms[*at]).collect(),
    }
}

/// A device that is five times as fast as one that is known is predicted better by twelve measurements than without that knowledge, and
/// what was learned so is saved.
#[test]
#[ignore = "takes long"]
fn what_another_target_taught_carries_over() {
    let host = host();
    let mut known = part(&host, 100, 300);
    known.latencies_ms.iter_mut().for_each(|latency| *latency *= 5.0);
    let source = fit(&host, &known).save().expect("a state");
    let (new, judged) = (part(&host, 0, 12), part(&host, 400, 150));
    let error = |fitted: &FittedInstance| {
        let predicted = fitted.predict(&judged.inputs).expect("predictions");
        Metrics::of(&judged.latencies_ms, &predicted).mape
    };
    let taught = fit_from(&host, &new, std::slice::from_ref(&source)).expect("a fit");
    let (with, without) = (error(&taught), error(&fit(&host, &new)));
    assert!(with < 0.7 * without, "{with} % with it, {without} % without");
    let handle = host
        .component(ComponentKind::Regressor, "additive")
        .expect("a regressor");
    let state = taught.save().expect("a state");
    let load = |state: &[u8]| FittedInstance::load(&handle, handle.state_version(), state);
    let loaded = load(&state).expect("the state is read");
    assert_eq!(
        loaded.predict(&judged.inputs).expect("predictions"),
        taught.predict(&judged.inputs).expect("predictions"),
        "to the last bit"
    );
    let whole: Value = serde_json::from_slice(&state).expect("JSON");
    for (place, value) in [
        ("/cost/taught/operators/0", json!(1e308)),
        ("/cost/taught/operators/0", json!(-1.0)),
        ("/cost/taught/operators", json!([1.0])),
        ("/cost/taught/kinds", json!([])),
    ] {
        let mut state = whole.clone();
        *state.pointer_mut(place).expect("a place of the state") = value;
        assert!(load(state.to_string().as_bytes()).is_err(), "{place} is taken");
    }
    assert!(
        fit_from(&host, &new, &[b"{}".to_vec()]).is_err(),
        "what is no state is no source"
    );
    // A source that says nothing of this device does no harm: here times that have nothing to do with the networks.
    let count = known.latencies_ms.len();
    (0..count).for_each(|at| known.latencies_ms[at] = 1.0 + (at * 7919 % 101) as f64);
    let noise = fit(&host, &known).save().expect("a state");
    let both = fit_from(&host, &new, &[noise, source]).expect("a fit");
    assert!(error(&both) < without, "{} %, {without} % alone", error(&both));
}

/// The story: states that were well-formed held all threads for 12 s, since factors beyond any kernel made numbers that a processor
/// computes with a hundred times as long; others overflowed for an operator that no self-test knew, and 138 ms were predicted as 1.6.
#[test]
fn states_that_no_fit_gives_are_refused() {
    let host = host();
    let fitted = fit(&host, &part(&host, 0, 60));
    let whole: Value = serde_json::from_slice(&fitted.save().expect("a state")).expect("JSON");
    let handle = host
        .component(ComponentKind::Regressor, "additive")
        .expect("a regressor");
    let load = |state: &Value| FittedInstance::load(&handle, handle.state_version(), state.to_string().as_bytes());
    assert!(load(&whole).is_ok(), "what a fit gives is read");
    let hostile: [(&str, Value); 9] = [
        ("/columns/bases/0/factor/0/0", json!(1.7e308)),
        ("/columns/bases/0/factor/3/0", json!(1e200)),
        ("/columns/bases/1/factor/2/2", json!(1e-9)),
        ("/columns/bases/2/factor/1/1", json!(-0.5)),
        ("/columns/constant", json!(1e308)),
        ("/columns/term_means/0", json!(1e-308)),
        ("/size/median", json!(5e-324)),
        ("/degrees_of_freedom", json!(1e308)),
        ("/cost/scale", json!(1e308)),
    ];
    for (place, value) in hostile {
        let mut state = whole.clone();
        *state.pointer_mut(place).expect("a place of the state") = value;
        assert!(load(&state).is_err(), "{place} is taken");
    }
    for (regressor, state) in [
        ("roofline", json!({ "prices": vec![-1.0; 20] })),
        ("mac-proportional", json!({ "per_million_macs": -1.0 })),
    ] {
        let handle = host
            .component(ComponentKind::Regressor, regressor)
            .expect("a regressor");
        let loaded = FittedInstance::load(&handle, handle.state_version(), state.to_string().as_bytes());
        assert!(loaded.is_err(), "{regressor} takes prices below 0");
    }
}
