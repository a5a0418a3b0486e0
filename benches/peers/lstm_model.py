"""The model of a version of the recipe `lglp`, in PyTorch and the package `lightgbm`. Imported by `served.py` and `in_process.py`."""

import json

import lightgbm
import safetensors.torch
import torch

import bundle
from encoding import Encoding


# Rows that go through the LSTM at once: a large batch takes half of the time in parts whose states stay in the caches.
ROWS_AT_ONCE = 128


class Model:
    def __init__(self, path):
        """Of the bundle of a version. Predictions take the thread that asks for them, and no other."""
        torch.set_num_threads(1)
        manifest, parts = bundle.read(path)
        recipe = manifest["version"]["content"]["recipe"]
        network = recipe["extractor"]["parameters"]
        if recipe["encoder"] != {"name": "D", "parameters": {"sequence": True}} or network["connection"] != "sum":
            raise ValueError(f"the recipe {recipe['name']} is another model than this one: {json.dumps(recipe)}")
        weights = safetensors.torch.load(parts["extractor"])
        own = {name.removeprefix("lstm."): value for name, value in weights.items() if name.startswith("lstm.")}
        width = own["weight_ih_l0"].shape[1]
        self.lstm = torch.nn.LSTM(
            width, network["hidden"], network["layers"], bidirectional=network["bidirectional"], batch_first=True
        )
        self.lstm.load_state_dict(own)
        self.lstm.eval()
        self.trees = lightgbm.Booster(model_str=parts["regressor"].decode())
        self.encoding = Encoding()

    def predict(self, architectures):
        """Milliseconds of each of some architectures."""
        inputs = torch.from_numpy(self.encoding.encode(architectures))
        with torch.no_grad():
            features = torch.cat([self.lstm(part)[0].sum(dim=1) for part in inputs.split(ROWS_AT_ONCE)])
        return self.trees.predict(features.numpy(), num_threads=1)
