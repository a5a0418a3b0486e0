//! The state of an LSTM: refused, or whole and finite, before anything is computed with it.
#![no_main]

use lglp_lstm_network::{Saved, VERSION};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|state: &[u8]| {
    if let Ok(saved) = Saved::read(VERSION, state) {
        let expected = saved.network.weights(saved.input);
        assert_eq!(saved.weights.len(), expected.len());
        for ((name, shape, values), expected) in saved.weights.iter().zip(&expected) {
            assert_eq!((name, shape), (&expected.0, &expected.1));
            assert_eq!(values.len() as i64, shape.iter().product::<i64>());
            assert!(values.iter().all(|value| value.is_finite()));
        }
        assert!(saved.mean.is_finite() && saved.scale.is_finite());
    }
});
