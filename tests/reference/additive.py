"""The regressor `additive` in numpy, where there are fewer than 20 rows: variances are then those that are believed in, so that
nothing is searched for and all of the fit can be told by formulas. Input: {"train": tables, "targets": [...], "test": tables}, a table
being a list of operators of 15 columns. Rows are left out by fitting again without them, not by leverages.

With {"source": {"tables": tables, "train": times, "test": times, "own": times}} the fit begins with what another device teaches: the
networks that it measured, and what each operator takes there of the networks to train on, to test on, and of its own.
"""

import json
import sys

import numpy as np

KIND, KERNEL, STRIDE, C_IN, C_OUT, SIDE_IN, SIDE_OUT, ACTIVATION = 0, 1, 2, 4, 5, 6, 7, 8
LAUNCHES, KMACS, ACTIVATION_KIB, WEIGHT_KIB = 11, 12, 13, 14
KINDS = 9
KERNELS = [("kind", 3.0, 100), ("category", 3.0, 200), ("category", 1.0, 200)]
DEVIATIONS = {"scale": 0.3, "constant": 0.1, "terms": 0.5, "kind": 0.2, "long": 0.3, "category-long": 0.15, "category-mid": 0.15,
              "resolution": 0.01}
TAUGHT = DEVIATIONS | {"constant": 0.05, "terms": 0.1, "kind": 0.15, "long": 0.15, "category-long": 0.08, "category-mid": 0.04}
NOISE = 0.025

data = json.load(sys.stdin)
train = [np.array(table) for table in data["train"]]
test = [np.array(table) for table in data["test"]]
y = np.array(data["targets"])


def shape(operator):
    return tuple(operator[:9])


source = data.get("source")
distinct, there = {}, {}
for table in train + [np.array(table) for table in (source["tables"] if source else [])]:
    for operator in table:
        distinct.setdefault(shape(operator), operator)
if source:
    told = zip(data["train"] + data["test"] + source["tables"], source["train"] + source["test"] + source["own"])
    for table, times in told:
        there.update((shape(operator), time) for operator, time in zip(table, times))
pivots_from = np.array(list(distinct.values()))


def kernel(a, b, alike, length):
    columns = [KIND] if alike == "kind" else [KIND, KERNEL, STRIDE, ACTIVATION]
    same = np.all(a[:, None, columns] == b[None, :, columns], axis=2)
    points = [np.log2(np.maximum(x[:, [C_IN, C_OUT, SIDE_OUT]], 1)) for x in (a, b)]
    squared = ((points[0][:, None, :] - points[1][None, :, :]) ** 2).sum(axis=2)
    return same * np.exp(-squared / (2 * length**2))


def pivoted(alike, length, most):
    """The operators that a kernel is represented by, greedily by what is left of the diagonal."""
    full = kernel(pivots_from, pivots_from, alike, length)
    left, rows, chosen = np.ones(len(full)), np.zeros((len(full), 0)), []
    while len(chosen) < most and left.sum() > 1e-3 * len(full):
        at = int(np.argmax(left))
        if left[at] <= 1e-10:
            break
        column = (full[:, at] - rows @ rows[at]) / np.sqrt(left[at])
        rows = np.column_stack([rows, column])
        left = np.maximum(left - column**2, 0)
        left[at] = 0
        chosen.append(at)
    return pivots_from[chosen]


bases = [(alike, length, pivoted(alike, length, most)) for alike, length, most in KERNELS]


def psi(operators, basis):
    alike, length, pivots = basis
    factor = np.linalg.cholesky(kernel(pivots, pivots, alike, length))
    return np.linalg.solve(factor, kernel(pivots, operators, alike, length)).T


def amounts(table):
    sums = np.zeros((len(table), 2 + 2 * KINDS))
    sums[:, 0], sums[:, 1] = table[:, LAUNCHES], table[:, WEIGHT_KIB]
    for at, operator in enumerate(table):
        sums[at, 2 + int(operator[KIND]) - 1] = operator[KMACS]
        sums[at, 2 + KINDS + int(operator[KIND]) - 1] = operator[ACTIVATION_KIB]
    return sums


medians = [np.median([table[:, column].sum() for table in train]) for column in (KMACS, ACTIVATION_KIB, LAUNCHES)]


def generic(table):
    return 0.5 * table[:, KMACS] / medians[0] + 0.4 * table[:, ACTIVATION_KIB] / medians[1] + 0.1 * table[:, LAUNCHES] / medians[2]


def taught(table):
    """What operators cost by what they take on the other device, as far as it explains what is measured here."""
    known = np.array([operator_costs.get(shape(operator), np.nan) for operator in table])
    kinds = np.array([kind_ratios[int(kind)] for kind in table[:, KIND]])
    return np.where(np.isnan(known), kinds * generic(table), known)


def teach():
    def in_the_median(cost):
        return np.median(y / [cost(table).sum() for table in train])

    def own(table):
        return np.array([max(there[shape(operator)], 0) for operator in table])

    plain, scale = in_the_median(generic), in_the_median(own)

    def mixed(table):
        return 0.85 * scale * own(table) + 0.15 * plain * generic(table)

    # One coefficient, not negative, of least squares, with a ridge to 1.
    x = np.array([mixed(table).sum() for table in train] / y)
    share = max((x.sum() + 1) / (x @ x + 1), 0)
    costs = {key: share * mixed(operator[None, :])[0] for key, operator in distinct.items()}
    ratios = {}
    for kind in range(1, KINDS + 1):
        keys = [key for key in distinct if key[KIND] == kind]
        plainly = sum(generic(distinct[key][None, :])[0] for key in keys)
        ratios[kind] = sum(costs[key] for key in keys) / plainly if plainly > 0 else None
    over_all = sum(costs.values()) / sum(generic(operator[None, :])[0] for operator in distinct.values())
    return costs, {kind: over_all if ratio is None else ratio for kind, ratio in ratios.items()}


cost, deviations = generic, DEVIATIONS
if source:
    operator_costs, kind_ratios = teach()
    cost, deviations = taught, TAUGHT
alpha = np.exp(np.median(np.log(y / [cost(table).sum() for table in train])))
m = np.array([alpha * cost(table).sum() for table in train])
term_means = np.mean([amounts(table).sum(axis=0) / scale for table, scale in zip(train, m)], axis=0)
occurring = np.sqrt((term_means > 0).sum())
sides = sorted({table[0, SIDE_IN] for table in train})
shares = [np.mean([table[0, SIDE_IN] == side for table in train]) for side in sides]
constant = 0.3 * np.median(m)


def columns(table, s):
    """The columns of a network, in the order of the groups, and the size of each group."""
    w = alpha * cost(table)
    terms = np.divide(amounts(table).sum(axis=0), term_means * occurring, out=np.zeros(len(term_means)), where=term_means > 0)
    kinds = [w[table[:, KIND] == kind].sum() for kind in range(1, KINDS + 1)]
    groups = [[w.sum()], [constant], terms, kinds] + [w @ psi(table, basis) for basis in bases]
    groups = [np.asarray(group) / s for group in groups]
    if len(sides) > 1:
        seen = table[0, SIDE_IN] in sides
        groups.append(np.array([(side == table[0, SIDE_IN]) - share if seen else 0.0 for side, share in zip(sides, shares)]))
    return np.concatenate(groups), [len(group) for group in groups]


def prior(sizes):
    return np.repeat(np.square(list(deviations.values())[: len(sizes)]), sizes)


def posterior(phi, z, weights, v):
    covariance = np.linalg.inv(np.diag(1 / v) + phi.T @ (weights[:, None] * phi) / NOISE**2)
    return covariance @ phi.T @ (weights * z) / NOISE**2, covariance


def left_out(phi, z, weights, v):
    residuals, variances = [], []
    for at in range(len(z)):
        keep = np.arange(len(z)) != at
        beta, covariance = posterior(phi[keep], z[keep], weights[keep], v)
        residuals.append(z[at] - phi[at] @ beta)
        variances.append(phi[at] @ covariance @ phi[at])
    return np.array(residuals), np.array(variances)


def robust(phi, z, weights, v, freedom):
    for _ in range(3):
        residuals, variances = left_out(phi, z, weights, v)
        squared = residuals**2 / (NOISE**2 + variances)
        weights = np.clip((freedom + 1) / (freedom + squared), 1e-4, 1)
    return weights, *without(phi, z, weights, v, freedom)


def without(phi, z, weights, v, freedom):
    """Rows that are left out where the others' weights follow (Rad and Maleki, 2020): one Newton step of a loss with the second derivative
    of Student's t, that of least squares where the weight is 1."""
    _, variances = left_out(phi, z, weights, v)
    beta, _ = posterior(phi, z, weights, v)
    squared = (freedom + 1) / weights - freedom
    second = (freedom + 1) * (freedom - squared) / (freedom + squared) ** 2
    curvature = np.where(weights < 1, np.maximum(second, 1e-4), 1)
    hessian = np.diag(1 / v) + phi.T @ (curvature[:, None] * phi) / NOISE**2
    residuals = []
    for at in range(len(z)):
        others = hessian - curvature[at] * np.outer(phi[at], phi[at]) / NOISE**2
        residual = z[at] - phi[at] @ beta
        step = np.linalg.solve(others, phi[at]) * weights[at] * residual / NOISE**2
        residuals.append(residual + phi[at] @ step)
    return np.array(residuals), variances


def stage(tables, scales):
    rows = [columns(table, s) for table, s in zip(tables, scales)]
    return np.array([row for row, _ in rows]), rows[0][1]


phi, sizes = stage(train, m)
v = prior(sizes)
weights, residuals, _ = robust(phi, (y - m) / m, np.ones(len(y)), v, 2)
first, _ = posterior(phi, (y - m) / m, weights, v)
x, spread = np.log(m), np.log(np.abs(residuals))
gamma = np.clip(((x - x.mean()) * (spread - spread.mean())).sum() / ((x - x.mean()) ** 2).sum(), -1, 0)


def scale(prior_cost, fit):
    return np.clip(fit, 0.4 * prior_cost, 2.5 * prior_cost) * (prior_cost / np.median(m)) ** gamma


s = scale(m, m * (1 + phi @ first))
phi, _ = stage(train, s)
best = None
for freedom in (2, 1, 4):
    start = weights if best is None else best[2]
    found, residuals, variances = robust(phi, (y - m) / s, start, v, freedom)
    error = np.mean(np.abs(s * residuals / y))
    if best is None or error < 0.99 * best[0]:
        best = (error, freedom, found, residuals, variances)
_, freedom, weights, residuals, variances = best
second, covariance = posterior(phi, (y - m) / s, weights, v)

predicted, spreads = [], []
for table in test:
    prior_cost = alpha * cost(table).sum()
    before, _ = columns(table, prior_cost)
    own = scale(prior_cost, prior_cost * (1 + before @ first))
    row, _ = columns(table, own)
    predicted.append(max(prior_cost + own * (row @ second), prior_cost / 100))
    unseen = 0.01**2 if len(sides) > 1 and table[0, SIDE_IN] not in sides else 0
    spreads.append(own * np.sqrt(NOISE**2 + row @ covariance @ row + unseen))

print(json.dumps({
    "freedom": freedom,
    "left_out": (y - s * residuals).tolist(),
    "left_out_spreads": (s * np.sqrt(NOISE**2 + variances)).tolist(),
    "predicted": predicted,
    "spreads": spreads,
}))
