"""Predictions of scikit-learn's regressors at their defaults. Input: {"train": rows, "targets": [...], "test": rows}.

Gradient boosting draws among equally good splits: it is fitted with several seeds, and each one's predictions are given.
"""

import json
import sys

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import BayesianRidge, ElasticNet, LinearRegression
from sklearn.svm import SVR

data = json.load(sys.stdin)
train, targets, test = (np.array(data[key], dtype=float) for key in ("train", "targets", "test"))
regressors = {
    "linear": [LinearRegression()],
    "bayesian-ridge": [BayesianRidge()],
    "elastic-net": [ElasticNet()],
    "svr": [SVR()],
    "gbdt": [GradientBoostingRegressor(random_state=seed) for seed in range(10)],
}
fitted = {name: [r.fit(train, targets).predict(test).tolist() for r in each] for name, each in regressors.items()}
print(json.dumps(fitted))
