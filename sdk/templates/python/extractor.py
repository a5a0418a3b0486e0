"""A feature extractor of lglp: what an encoder gives becomes features. lglp runs it in processes of its own; README.md says how it
goes on."""

import io

import numpy as np


class @Type@:
    """mean and largest value of each column over the steps, standardised"""

    kind = "feature-extractor"
    name = "@name@"
    # Raise it when what `save` writes changes; `load` is given the version of what it reads.
    state_version = 1
    # JSON Schema of what a recipe may say; lglp checks it before it hands parameters over.
    parameters = {"type": "object", "additionalProperties": False}

    @classmethod
    def fit(cls, parameters, data):
        """`data` has train and validation, float32 [rows, steps, width], train_targets and validation_targets, float64 [rows], a seed,
        and progress(done, total, train_mse, validation_mse), which is False where the fit is to end.

        A ValueError refuses the parameters. The same seed and data give the same state."""
        if parameters:
            raise ValueError("it has no parameters")
        features = cls.raw(data.train)
        spread = features.std(axis=0)
        spread[spread == 0] = 1
        return cls(features.mean(axis=0), spread)

    @staticmethod
    def raw(inputs):
        return np.concatenate([inputs.mean(axis=1, dtype=np.float64), inputs.max(axis=1).astype(np.float64)], axis=1)

    def __init__(self, mean, spread):
        self.mean, self.spread = mean, spread

    def save(self):
        """All that `load` needs, as bytes: no pickles, so that a state cannot be a program."""
        state = io.BytesIO()
        np.save(state, np.stack([self.mean, self.spread]), allow_pickle=False)
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
        if values.ndim != 2 or values.dtype != np.float64 or len(values) != 2 or opened.read(1):
            raise ValueError("it is damaged")
        return cls(*values)

    def outputs(self):
        """Features of a row."""
        return len(self.mean)

    def extract(self, inputs):
        """float32 [rows, steps, width] to float32 [rows, outputs]."""
        if 2 * inputs.shape[2] != len(self.mean):
            raise ValueError(f"rows have a width of {inputs.shape[2]}, and it was fitted on {len(self.mean) // 2}")
        return ((self.raw(inputs) - self.mean) / self.spread).astype(np.float32)


PLUGIN = {
    "name": "@name@",
    "version": "0.1.0",
    "summary": "The feature extractor @name@, in Python",
    "components": [@Type@],
}
