"""Writes the reference of the LSTM plugin: weights, and what PyTorch makes of some inputs with them.

Needs `pip install torch==2.13.0 safetensors numpy` (3 GB, which is why tests read its results, committed beside it,
instead of running it). Usage: lstm_features.py FOLDER
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

STEPS, WIDTH, ROWS = 40, 37, 6
MEAN, SCALE = 123.5, 45.25


def write(folder, name, layers, bidirectional, hidden):
    torch.manual_seed(20)
    lstm = torch.nn.LSTM(WIDTH, hidden, layers, bidirectional=bidirectional, batch_first=True)
    head = torch.nn.Linear(hidden * (2 if bidirectional else 1), 1)
    inputs = (torch.rand(ROWS, STEPS, WIDTH) < 0.2).float()
    for row in range(ROWS):
        inputs[row, STEPS - 3 * row :] = 0  # absent layers
    with torch.no_grad():
        features = lstm(inputs)[0].sum(dim=1)
        latencies = head(features).squeeze(1).double() * SCALE + MEAN
    weights = {f"lstm.{k}": v.contiguous() for k, v in lstm.state_dict().items()}
    weights |= {f"head.{k}": v for k, v in head.state_dict().items()}
    parameters = {"layers": layers, "bidirectional": bidirectional, "hidden": hidden, "connection": "sum"}
    metadata = {
        "format": "lglp-lstm",
        "version": "1",
        "parameters": json.dumps(parameters),
        "input_width": str(WIDTH),
        "steps": str(STEPS),
        "target_mean": str(MEAN),
        "target_scale": str(SCALE),
    }
    save_file(weights, folder / f"{name}.safetensors", metadata)
    expected = {
        "torch": torch.__version__,
        "steps": STEPS,
        "width": WIDTH,
        "ones": [inputs[row].flatten().nonzero().flatten().tolist() for row in range(ROWS)],
        "features": features.tolist(),
        "latencies_ms": latencies.tolist(),
    }
    (folder / f"{name}.json").write_text(json.dumps(expected))


folder = pathlib.Path(sys.argv[1])
write(folder, "lstm_3_bi", layers=3, bidirectional=True, hidden=64)
write(folder, "lstm_1", layers=1, bidirectional=False, hidden=16)
