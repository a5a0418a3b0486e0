"""Predictions of a LightGBM model file by LightGBM's own Python package, as bytes: little-endian f32 in, f64 out.

Usage: lightgbm_raw.py MODEL.txt ROWS OUT
"""

import sys

import lightgbm
import numpy as np

model = lightgbm.Booster(model_file=sys.argv[1])
rows = np.fromfile(sys.argv[2], dtype="<f4").reshape(-1, model.num_feature())
predicted = model.predict(rows, num_threads=1)
for index in range(0, len(rows), 97):
    # One row alone takes another path.
    assert np.array_equal(model.predict(rows[index : index + 1], num_threads=1), predicted[index : index + 1])
predicted.astype("<f8").tofile(sys.argv[3])
