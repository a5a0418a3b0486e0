//! The layout of what crosses the boundary is frozen: a plugin that is built already knows it by these numbers. Fields are appended, and nothing else.
#![cfg(target_pointer_width = "64")]

use std::mem::{offset_of, size_of};

use lglp_sdk::plugin::abi::*;

macro_rules! layout {
    ($type:ty: $size:expr, $($field:ident $offset:expr),+ $(,)?) => {
        assert_eq!(size_of::<$type>(), $size, "size of {}", stringify!($type));
        $(assert_eq!(offset_of!($type, $field), $offset, "{}.{}", stringify!($type), stringify!($field));)+
    };
}

#[test]
fn fields_stay_where_they_are() {
    layout! { Str: 16,
        data 0,
        len 8,
    }
    layout! { Buffer: 32,
        data 0,
        len 8,
        capacity 16,
        free 24,
    }
    layout! { Bytes: 16,
        data 0,
        len 8,
    }
    layout! { TensorView: 32,
        data 0,
        rows 8,
        steps 16,
        width 24,
    }
    layout! { FitData: 104,
        train 0,
        train_targets 32,
        validation 40,
        validation_targets 72,
        seed 80,
        progress_context 88,
        progress 96,
    }
    layout! { RunSample: 24,
        wall_ns 0,
        cpu_ns 8,
        energy_uj 16,
    }
    layout! { Operator: 72,
        kind 0,
        kernel 4,
        stride 8,
        groups 12,
        channels_in 16,
        channels_out 20,
        side_in 24,
        side_out 28,
        activation 32,
        block 36,
        layer 40,
        launches 44,
        macs 48,
        activation_bytes 56,
        weight_bytes 64,
    }
    layout! { EncoderTable: 48,
        create 0,
        destroy 8,
        shape 16,
        encode 24,
        shape_of_operators 32,
        encode_operators 40,
    }
    layout! { FittedTable: 144,
        fit 0,
        load 8,
        save 16,
        destroy 24,
        outputs 32,
        extract 40,
        predict 48,
        predict_spread 56,
        leave_one_out 64,
        contributions 72,
        fit_from 80,
        choose 88,
        difference_spreads 96,
        sums_len 104,
        sums 112,
        spread_sums_len 120,
        spread_sums 128,
        predict_sums 136,
    }
    layout! { RuntimeTable: 64,
        open 0,
        close 8,
        describe 16,
        load 24,
        unload 32,
        run 40,
        runs_at_once 48,
        run_many 56,
    }
    layout! { Component: 72,
        kind 0,
        state_version 4,
        name 8,
        summary 24,
        schema 40,
        encoder 48,
        fitted 56,
        runtime 64,
    }
    layout! { PluginTable: 104,
        magic 0,
        abi_major 8,
        abi_minor 12,
        size 16,
        component_size 24,
        name 32,
        version 48,
        summary 64,
        components 80,
        component_count 88,
        check 96,
    }
}
