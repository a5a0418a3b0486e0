"""Predictions of a LightGBM model file by LightGBM's own Python package: rows as JSON lines in, latencies out.

Usage: lightgbm_predict.py MODEL.txt < ROWS
"""

import json
import sys

import lightgbm
import numpy as np

rows = np.array([json.loads(line) for line in sys.stdin], dtype=np.float32)
print(json.dumps(lightgbm.Booster(model_file=sys.argv[1]).predict(rows, num_threads=1).tolist()))
