//! Small valid records to test with.

use std::collections::BTreeMap;

use serde_json::json;

use lglp_registry::{
    Admission, AliasMove, Baseline, Conditions, Digest, HardwareName, JobKind, LeaseRequest, MeasuredNetwork,
    Measurement, NewDataset, NewHardware, NewJob, NewValidation, NewVersion, NewWorker, ONNX, PairedSample, PluginUse,
    Quantity, ReferenceNetwork, Result, Rollback, Store, TimedNetwork, ValidationPair, Version,
};

/// The search space of the records.
pub const SPACE: &str = "mobilenetv3";

/// A hardware target's name.
///
/// # Panics
/// Where it cannot be one.
pub fn name(text: &str) -> HardwareName {
    text.parse().expect("a valid name")
}

/// A queue of so many places, for whoever comes.
pub fn places(places: usize) -> Admission {
    Admission::Any { places }
}

/// A hardware target without a reference network.
pub fn new_hardware(text: &str) -> NewHardware {
    NewHardware {
        name: name(text),
        runtime: "onnxruntime".to_owned(),
        settings: BTreeMap::from([
            ("threads".to_owned(), json!(1)),
            ("precision".to_owned(), json!("fp32")),
        ]),
        fingerprint: json!({"cpu": "model", "cores": 2}),
        reference: None,
        by_workers: false,
    }
}

/// A reference network.
pub fn reference(latency_ms: f64) -> ReferenceNetwork {
    ReferenceNetwork {
        digest: Digest::of(b"reference"),
        latency_ms,
        larger: vec![timed(3.0 * latency_ms)],
    }
}

/// A larger one.
pub fn timed(latency_ms: f64) -> TimedNetwork {
    TimedNetwork {
        digest: Digest::of(b"larger"),
        latency_ms,
    }
}

/// A measurement of an architecture with this text; each replicate has samples of its own.
pub fn measurement(hardware: &HardwareName, architecture: &str, replicate: u32) -> Measurement {
    let sample = PairedSample {
        wall_ms: 0.1 + 0.2 + f64::from(replicate),
        cpu_ms: 1.0 / 3.0,
        reference_wall_ms: 2e-7,
        reference_cpu_ms: 12345.678,
    };
    Measurement {
        hardware: hardware.clone(),
        space: SPACE.to_owned(),
        architecture: architecture.to_owned(),
        digest: Digest::of(architecture.as_bytes()),
        replicate,
        latency_ms: 0.1 + 0.2,
        statistic: "median".to_owned(),
        protocol: json!({"warm_up": 3, "runs": 10}),
        samples: vec![sample; 10],
        load_average: 0.25,
        drift: false,
        flags: vec![],
        measured_at: "2024-01-31T12:00:00Z".to_owned(),
        process: "run-1".to_owned(),
        energy_j: Some(0.125),
        conditions: Some(Conditions {
            cpu_mhz: Some(2100.5),
            ..Conditions::default()
        }),
        reference: Some(timed(7.5)),
        worker: None,
        space_definition: None,
        network: None,
    }
}

/// A first measurement of a network of no space, by the name that people call it.
pub fn of_no_space(hardware: &HardwareName, name: &str) -> Measurement {
    let text = Digest::of(name.as_bytes()).to_string();
    Measurement {
        space: ONNX.to_owned(),
        network: Some(MeasuredNetwork {
            name: name.to_owned(),
            operators: vec![[1, 3, 2, 1, 3, 64, 224, 112, 1, 1, 21_676_032, 3_813_376, 7_168]],
            rules: Some("onnxruntime/16/2".into()),
            peculiar: Vec::new(),
        }),
        ..measurement(hardware, &text, 0)
    }
}

/// The description of a dataset.
pub fn new_dataset() -> NewDataset {
    NewDataset {
        space: SPACE.to_owned(),
        rows: 2,
        origin: "measured".to_owned(),
        creator: "ann".to_owned(),
    }
}

/// Creates a hardware target and a dataset on it, puts the blobs of a version, and returns the version's content.
///
/// # Panics
/// Where the store refuses.
pub fn ready_for_versions(store: &dyn Store, hardware: &HardwareName) -> NewVersion {
    try_ready_for_versions(store, hardware).expect("a target, a dataset and blobs")
}

/// The same, for a store that may fail.
///
/// # Errors
/// The store's.
pub fn try_ready_for_versions(store: &dyn Store, hardware: &HardwareName) -> Result<NewVersion> {
    store.put_hardware(&new_hardware(hardware.as_str()), "ann")?;
    let dataset = store.freeze_dataset(hardware, &new_dataset(), b"content")?;
    let regressor = store.put_blob(b"regressor")?;
    let training_log = store.put_blob(b"log")?;
    Ok(NewVersion {
        space: SPACE.to_owned(),
        space_digest: Digest::of(b"space"),
        quantity: Quantity::Latency,
        recipe: json!({"encoder": "d", "regressor": "lightgbm"}),
        dataset: dataset.digest,
        seed: u64::MAX,
        split: json!({"train": 0.8}),
        plugins: vec![PluginUse {
            plugin: "lightgbm".to_owned(),
            component: "lightgbm".to_owned(),
            kind: "regressor".to_owned(),
            version: "4.7.0".to_owned(),
            sha256: Digest::of(b"plugin"),
            state_version: 1,
        }],
        metrics: BTreeMap::from([("mape".to_owned(), 0.1 + 0.2)]),
        artifacts: BTreeMap::from([("regressor".to_owned(), regressor)]),
        training_log,
        residuals: vec![0.01, 1.0 / 3.0],
        scores: Vec::new(),
        networks: None,
        training_range: json!({"latency_ms": [1.0, 90.0]}),
        creator: "ann".to_owned(),
        imported: vec![],
        rebound_from: None,
        golden: vec![],
    })
}

/// The same version, but that it predicts energy.
pub fn predicting_energy(new: &NewVersion) -> NewVersion {
    NewVersion {
        quantity: Quantity::Energy,
        ..new.clone()
    }
}

/// A move of the alias `production`.
///
/// # Panics
/// Never.
pub fn promote(version: u32, expected_generation: u64) -> AliasMove {
    AliasMove {
        alias: "production".parse().expect("a valid alias"),
        version,
        expected_generation: expected_generation.into(),
        actor: "ann".to_owned(),
        reason: "better".to_owned(),
        force: false,
        idempotency_key: None,
    }
}

/// Going back with the alias `production`.
///
/// # Panics
/// Never.
pub fn rollback(expected_generation: Option<u64>) -> Rollback {
    Rollback {
        alias: "production".parse().expect("a valid alias"),
        expected_generation: expected_generation.map(Into::into),
        actor: "bob".to_owned(),
        reason: "worse".to_owned(),
        idempotency_key: None,
    }
}

/// A report on a version, whose architectures are measured first: each is predicted to take 1 % too long, and 2 % by the
/// version in production.
///
/// # Panics
/// Where the store refuses.
pub fn new_validation(store: &dyn Store, version: &Version, production: Option<u32>) -> NewValidation {
    let pairs = (0..4).map(|index| {
        let new = measurement(&version.hardware, &format!("fresh {index}"), 0);
        store.record_measurement(&new, "ann").expect("a measurement");
        ValidationPair {
            name: None,
            architecture: new.architecture,
            replicate: 0,
            measured_ms: new.latency_ms,
            predicted_ms: new.latency_ms * 1.01,
            interval_ms: Some((new.latency_ms * 0.9, new.latency_ms * 1.1)),
            baseline_ms: production.map(|_| new.latency_ms * 1.02),
            drift: false,
        }
    });
    let metrics = |mape: f64| BTreeMap::from([("mape".to_owned(), mape), ("spearman".to_owned(), 0.99)]);
    NewValidation {
        version: version.version,
        version_digest: version.digest.clone(),
        baseline: production.map(|version| Baseline {
            version,
            metrics: metrics(2.0),
        }),
        space: version.content.space.clone(),
        dataset: version.content.dataset.clone(),
        selection: json!({"method": "random", "seed": 1}),
        pairs: pairs.collect(),
        metrics: metrics(1.0),
        coverage: Some(1.0),
        fingerprint: json!({"cpu": "model"}),
        drifted: 0,
        scatter: store.put_blob(b"<svg/>").expect("a blob"),
        started_at: "2024-01-31T12:00:00Z".to_owned(),
        finished_at: "2024-01-31T12:10:00Z".to_owned(),
        creator: "ann".to_owned(),
    }
}

/// A job for the hardware target `cpu`.
pub fn new_job(kind: JobKind) -> NewJob {
    NewJob {
        kind,
        hardware: name("cpu"),
        parameters: json!({"space": SPACE}),
        creator: "ann".to_owned(),
        parent: None,
    }
}

/// A process on a device of the same name that does these kinds of jobs.
pub fn worker(holder: &str, kinds: &[JobKind]) -> LeaseRequest {
    LeaseRequest {
        holder: holder.parse().expect("a name"),
        device: holder.to_owned(),
        kinds: kinds.iter().copied().collect(),
        hardware: None,
        seconds: 60,
    }
}

/// A worker for a target, on the target's machine.
pub fn new_worker(text: &str, hardware: &str) -> NewWorker {
    NewWorker {
        name: text.parse().expect("a valid name"),
        hardware: name(hardware),
        instance: "0123456789abcdef".to_owned(),
        fingerprint: new_hardware(hardware).fingerprint,
        difference: None,
        version: "0.1.0".to_owned(),
    }
}
