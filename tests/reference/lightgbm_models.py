"""Model texts that LightGBM's own Python package trains, for what the shipped recipes do not come across: inputs that are
missing as NaN, zeros that count as missing, a tree without a split.

Usage: lightgbm_models.py FOLDER
"""

import pathlib
import sys

import lightgbm
import numpy as np

rng = np.random.default_rng(7)
ROWS, WIDTH = 800, 12
inputs = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
inputs[:, 3:6] = rng.integers(0, 2, (ROWS, 3))
inputs[:, 6] *= np.float32(1e-35)
inputs[:, 7] *= rng.random(ROWS) > 0.5
targets = np.abs(inputs[:, :8] @ rng.random(8) + 3 * inputs[:, 3] * inputs[:, 0] + 20)
holes = inputs.copy()
holes[rng.random(inputs.shape) < 0.2] = np.nan
holes[::17, 2], holes[1::17, 2] = np.inf, -np.inf

MODELS = {
    "none": (inputs, targets, {}),
    "nan": (holes, targets + np.isnan(holes[:, 1]), {}),
    "zero": (holes, targets + (inputs[:, 4] == 0), {"zero_as_missing": True}),
    "single": (inputs, np.full(ROWS, 7.0), {}),
}
for name, (rows, labels, more) in MODELS.items():
    settings = {"objective": "regression", "num_leaves": 31, "deterministic": True, "num_threads": 1, "verbosity": -1}
    data = lightgbm.Dataset(rows, labels, params=more)
    text = lightgbm.train(settings | more, data, 37).model_to_string()
    # What follows is the Python package's own.
    text = text[: text.index("end of parameters\n") + len("end of parameters\n")]
    pathlib.Path(sys.argv[1], f"{name}.txt").write_text(text)
