"""An encoder of lglp: architectures become numbers. lglp runs it in processes of its own; README.md says how it goes on."""

import numpy as np


class @Type@:
    """the choices of an architecture as numbers, and their sum"""

    kind = "encoder"
    name = "@name@"
    # JSON Schema of what a recipe may say; lglp checks it before it hands parameters over.
    parameters = {
        "type": "object",
        "properties": {"scale": {"type": "number", "exclusiveMinimum": 0, "description": "What each number is multiplied by"}},
        "additionalProperties": False,
    }

    def __init__(self, space, parameters):
        """Prepares the encoding of one search space: a dict with the fields of its file, and `row_len`, the choices of a row.

        A ValueError refuses the parameters."""
        self.scale = parameters.get("scale", 1.0)
        if not isinstance(self.scale, (int, float)) or not self.scale > 0:
            raise ValueError("scale is a number above 0")
        if set(parameters) - {"scale"}:
            raise ValueError("there is no parameter but scale")
        self.row_len = space["row_len"]

    def shape(self):
        """Steps and width of one encoded architecture."""
        return 1, self.row_len + 1

    def encode(self, rows):
        """uint8 [architectures, row_len] to float32 [architectures, steps, width]: indices of choices, in the order of the space."""
        rows = rows.astype(np.float32)
        total = rows.sum(axis=1, keepdims=True)
        return (np.concatenate([rows, total], axis=1) * np.float32(self.scale))[:, np.newaxis, :]


PLUGIN = {
    "name": "@name@",
    "version": "0.1.0",
    "summary": "The encoder @name@, in Python",
    "components": [@Type@],
}
