"""Metrics by scikit-learn and SciPy. Input: {"measured": [...], "predicted": [...], "resolutions": [...]}."""

import json
import sys

import numpy as np
from scipy import stats
from sklearn import metrics

data = json.load(sys.stdin)
measured, predicted = np.array(data["measured"]), np.array(data["predicted"])
resolutions = np.array(data["resolutions"])
within = [resolutions == one for one in np.unique(resolutions)]
within = [rows for rows in within if rows.sum() >= 5]
relative = np.abs(predicted - measured) / measured
print(
    json.dumps(
        {
            "mse": metrics.mean_squared_error(measured, predicted),
            "mae": metrics.mean_absolute_error(measured, predicted),
            "r2": metrics.r2_score(measured, predicted),
            "r2_exchanged": metrics.r2_score(predicted, measured),
            "correlation": np.corrcoef(measured, predicted)[0, 1],
            "mape": 100 * metrics.mean_absolute_percentage_error(measured, predicted),
            "spearman": stats.spearmanr(measured, predicted).statistic,
            "within_5": 100 * np.mean(relative <= 0.05),
            "within_10": 100 * np.mean(relative <= 0.10),
            "median_ape": 100 * np.median(relative),
            "spearman_within": np.average(
                [stats.spearmanr(measured[rows], predicted[rows]).statistic for rows in within],
                weights=[rows.sum() for rows in within],
            ),
        }
    )
)
