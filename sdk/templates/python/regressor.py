"""A regressor of lglp: a latency from numbers. lglp runs it in processes of its own; README.md says how it goes on."""

import io

import numpy as np


class @Type@:
    """ridge regression on standardised inputs"""

    kind = "regressor"
    name = "@name@"
    # Raise it when what `save` writes changes; `load` is given the version of what it reads.
    state_version = 1
    # JSON Schema of what a recipe may say; lglp checks it before it hands parameters over.
    parameters = {
        "type": "object",
        "properties": {"strength": {"type": "number", "minimum": 0, "description": "Of the penalty on weights"}},
        "additionalProperties": False,
    }

    @classmethod
    def fit(cls, parameters, data):
        """`data` has train and validation, float32 [rows, steps, width], train_targets and validation_targets, float64 [rows], a seed,
        and progress(done, total, train_mse, validation_mse), which is False where the fit is to end.

        A ValueError refuses the parameters. The same seed and data give the same state."""
        strength = parameters.get("strength", 1e-3)
        if not isinstance(strength, (int, float)) or strength < 0 or set(parameters) - {"strength"}:
            raise ValueError("strength is a number, 0 or above; there is no other parameter")
        rows = data.train.reshape(len(data.train), -1).astype(np.float64)
        mean, spread = rows.mean(axis=0), rows.std(axis=0)
        spread[spread == 0] = 1
        rows, offset = (rows - mean) / spread, data.train_targets.mean()
        gram = rows.T @ rows + strength * len(rows) * np.eye(rows.shape[1])
        weights = np.linalg.solve(gram + 1e-9 * np.eye(len(gram)), rows.T @ (data.train_targets - offset))
        fitted = cls(mean, spread, weights, offset)
        error = np.mean((fitted.predict(data.train) - data.train_targets) ** 2)
        data.progress(1, 1, error)
        return fitted

    def __init__(self, mean, spread, weights, offset):
        self.mean, self.spread, self.weights, self.offset = mean, spread, weights, offset

    def save(self):
        """All that `load` needs, as bytes: no pickles, so that a state cannot be a program."""
        state = io.BytesIO()
        np.save(state, np.concatenate([self.mean, self.spread, self.weights, [self.offset]]), allow_pickle=False)
        return state.getvalue()

    @classmethod
    def load(cls, state_version, state):
        """What `save` wrote, or a ValueError."""
        if state_version != cls.state_version:
            raise ValueError(f"its version is {state_version}, not {cls.state_version}")
        opened = io.BytesIO(state)
        try:
            values = np.load(opened, allow_pickle=False)
        except EOFError as error:
            raise ValueError("it is cut off") from error
        if values.ndim != 1 or values.dtype != np.float64 or len(values) % 3 != 1 or opened.read(1):
            raise ValueError("it is damaged")
        return cls(*np.split(values[:-1], 3), values[-1])

    def predict(self, inputs):
        """float32 [rows, steps, width] to float64 [rows]."""
        rows = inputs.reshape(len(inputs), int(np.prod(inputs.shape[1:]))).astype(np.float64)
        if rows.shape[1] != len(self.weights):
            raise ValueError(f"rows have {rows.shape[1]} numbers, and it was fitted on {len(self.weights)}")
        # Row by row the same, whatever stands beside it.
        return ((rows - self.mean) / self.spread * self.weights).sum(axis=1) + self.offset


PLUGIN = {
    "name": "@name@",
    "version": "0.1.0",
    "summary": "The regressor @name@, in Python",
    "components": [@Type@],
}
