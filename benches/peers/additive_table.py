"""The model of a version of the recipe `additive` as a table in numpy: what each layer of the space takes. Imported by `table_served.py`.

What a network takes is the sum over its operators, in three versions (beforehand, in the first stage, in the second), and what belongs to
none of them. Sums over the operators of a layer are worked out once, for every layer that there can be, so that a prediction is a sum over
layers.
"""

import itertools
import json

import numpy as np
from scipy.linalg import solve_triangular

import bundle
from encoding import EXPANSIONS, KERNELS
from operators import KINDS, classifier, frame, layer
from space import BLOCKS, space

# Where a layer stands: first in a block of stride 1, first in one of stride 2, behind the first.
PLACES = 3
# How often the side was halved within the blocks before a layer.
HALVINGS = 5
# Strides, kernels, expansions, squeeze-and-excitation, shortcuts.
CHOICES = PLACES * 3 * 3 * 2 * 2
# Lengths of the kernels over operators.
LENGTHS = {"long": 3.0, "category-long": 3.0, "category-mid": 1.0}


def code(place, kernel, expansion, se, shortcut):
    return (((place * 3 + KERNELS[kernel]) * 3 + EXPANSIONS[expansion]) * 2 + se) * 2 + shortcut


def amounts(operators):
    """Launches, KiB of weights, and by kind thousands of multiply-accumulates and KiB of values: float32, as the encoder gives them."""
    rounded = lambda values: np.array(values, np.float64).astype(np.float32).astype(np.float64)
    return (
        rounded([operator.launches for operator in operators]),
        rounded([4 * operator.weights / 1024 for operator in operators]),
        rounded([operator.macs / 1e3 for operator in operators]),
        rounded([4 * operator.values / 1024 for operator in operators]),
    )


def points(rows):
    """Where kernels measure distances."""
    return np.log2([[max(row[name], 1) for name in ("channels_in", "channels_out", "side_out")] for row in rows])


def psi(basis, operators, catalogue):
    """The functions of a basis, of each operator."""
    pivots = [catalogue[number] for number in basis["pivots"]]
    alike = ("kind",) if basis["kernel"] == "long" else ("kind", "kernel", "stride", "activation")
    category = lambda rows: np.array(["/".join(str(row[name]) for name in alike) for row in rows])
    same = category(pivots)[:, None] == category(operators)[None, :]
    squared = ((points(pivots)[:, None, :] - points(operators)[None, :, :]) ** 2).sum(axis=2)
    factor = np.zeros((len(pivots), len(pivots)))
    for at, row in enumerate(basis["factor"]):
        factor[at, : at + 1] = row
    kernel = same * np.exp(-squared / (2 * LENGTHS[basis["kernel"]] ** 2))
    return solve_triangular(factor, kernel, lower=True).T


class Table:
    def __init__(self, path):
        """Of the bundle of a version."""
        _, parts = bundle.read(path)
        self.state = json.loads(parts["regressor"])
        columns = self.state["columns"]
        if columns["layers"] is not None or columns["is_wide"] or "taught" in self.state["cost"] or "prices" in self.state["cost"]:
            raise ValueError("the model has columns that this table has not: it was fitted to more than one device's one space")
        self.space = space()
        self.resolutions = {resolution: at for at, resolution in enumerate(self.space["choices"]["resolution"])}
        layers, frames = self.enumerate()
        distinct = list(dict.fromkeys(operator for operators in [*layers.values(), *frames] for operator in operators))
        number = {operator: at for at, operator in enumerate(distinct)}
        times = self.times(distinct)
        self.check(distinct, times)
        total = lambda operators: times[[number[operator] for operator in operators]].sum(axis=0)
        self.layers = np.zeros((len(self.resolutions) * BLOCKS * HALVINGS * CHOICES, 3))
        for entry, operators in layers.items():
            self.layers[entry] = total(operators)
        self.frames = np.array([total(operators) for operators in frames])
        self.rest()

    def enumerate(self):
        """The operators of each layer that there can be, by its entry in the table; and those of stem and head, by resolution."""
        layers, frames, network = {}, [], self.space["network"]
        for at, resolution in enumerate(self.resolutions):
            stem = list(frame(network["stem"], 3, resolution))
            head = list(frame(network["head"], self.space["blocks"][-1]["channels"][1], resolution // 32))
            frames.append([*stem, *head, classifier(head[-1].channels_out, network["classes"])])
            for block, halvings, place, kernel, expansion, se, shortcut in itertools.product(
                range(BLOCKS), range(HALVINGS), range(PLACES), KERNELS, EXPANSIONS, (0, 1), (0, 1)
            ):
                described = self.space["blocks"][block]
                channels_in, channels_out = described["channels"]
                if place == 2:
                    channels_in = channels_out
                side = stem[-1].side_out >> halvings
                built = layer(
                    channels_in, channels_out, side, kernel, expansion, 2 if place == 1 else 1, se, shortcut, described["activation"]
                )
                entry = ((at * BLOCKS + block) * HALVINGS + halvings) * CHOICES + code(place, kernel, expansion, se, shortcut)
                layers[entry] = list(built)
        return layers, frames

    def times(self, operators):
        """Milliseconds that each operator takes beforehand, in the first stage and in the second."""
        state, columns = self.state, self.state["columns"]
        launches, weights, kmacs, kib = amounts(operators)
        generic = state["cost"]["generic"]
        shares = 0.5 * kmacs / generic["kmacs"] + 0.4 * kib / generic["activation_kib"] + 0.1 * launches / generic["launches"]
        cost = state["cost"]["scale"] * shares
        of_kind = np.array([[operator.kind == kind for kind in KINDS] for operator in operators], float)
        terms = np.column_stack([launches, weights, of_kind * kmacs[:, None], of_kind * kib[:, None]])
        means = np.array(columns["term_means"])
        terms = np.divide(terms, means, out=np.zeros_like(terms), where=means > 0)
        rows = [operator._asdict() for operator in operators]
        bases = [cost[:, None] * psi(basis, rows, state["operators"]) for basis in columns["bases"]]
        all_columns = np.column_stack([cost, np.zeros_like(cost), terms, cost[:, None] * of_kind, *bases])
        stages = [np.array(state[stage])[: all_columns.shape[1]] for stage in ("first", "second")]
        return np.column_stack([cost] + [cost + all_columns @ stage for stage in stages])

    def check(self, operators, times):
        """Compares with the microseconds that the state itself tells."""
        names = ("kind", "kernel", "stride", "channels_in", "channels_out", "side_in", "side_out", "activation")
        told = {tuple(row[name] for name in names): row["us"] for row in self.state["operators"]}
        known = [(told.get(tuple(operator[:8])), 1e3 * own[2]) for operator, own in zip(operators, times)]
        known = [(us, own) for us, own in known if us is not None]
        if len(known) != len(told) or not np.allclose(*np.array(known).T, rtol=1e-6, atol=1e-3):
            raise ValueError(f"{len(known)} of {len(told)} operators of the state are those of this table, or their times differ")

    def rest(self):
        """What belongs to no operator: a constant, and what each resolution takes, in both stages."""
        state, columns = self.state, self.state["columns"]
        coefficients = np.array([state["first"], state["second"]])
        self.constant = columns["constant"] * coefficients[:, 1]
        shares = dict(columns["resolutions"])
        own = dict(zip(shares, coefficients[:, len(state["first"]) - len(shares) :].T))
        common = sum(share * own[resolution] for resolution, share in shares.items())
        self.of_resolution = np.array([own[resolution] - common for resolution in self.resolutions])

    def predict(self, architectures):
        """Milliseconds of each of some architectures."""
        entries, begins, resolutions = [], [], []
        for architecture in architectures:
            resolution = self.resolutions[architecture.resolution]
            resolutions.append(resolution)
            begins.append(len(entries))
            halvings = 0
            for at, block in enumerate(architecture.blocks):
                place, se = block.stride - 1, block.se
                base = (resolution * BLOCKS + at) * HALVINGS
                for chosen in block.layers:
                    own = code(place, chosen.kernel, chosen.expansion, se, chosen.shortcut)
                    entries.append((base + halvings) * CHOICES + own)
                    if place < 2:
                        halvings += place
                        place = 2
        sums = np.add.reduceat(self.layers[entries], begins, axis=0) + self.frames[resolutions]
        prior, first, second = sums.T
        of_resolution, size = self.of_resolution[resolutions], self.state["size"]
        fit = first + self.constant[0] + prior * of_resolution[:, 0]
        scale = np.clip(fit, 0.4 * prior, 2.5 * prior) * (prior / size["median"]) ** size["slope"]
        return np.maximum(second + self.constant[1] + scale * of_resolution[:, 1], 0.01 * prior)
