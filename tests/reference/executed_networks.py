#!/usr/bin/env python3
"""Tells what ONNX Runtime makes of models on this processor, from its optimised graphs.

Prints JSON: of each model how many convolutions work on blocks of channels and how many do not, how many add another value, and how many nodes bring
values from one layout into the other.
Usage: executed_networks.py MODEL...
"""

import json
import pathlib
import sys
import tempfile

import onnx
import onnxruntime

BLOCKED = "com.microsoft.nchwc"


def optimised(model, folder):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.optimized_model_filepath = str(pathlib.Path(folder) / "optimised.onnx")
    # It warns that the optimised graph is of use on processors like this one alone.
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return onnx.load(options.optimized_model_filepath).graph


def executed(graph):
    blocked = [node for node in graph.node if node.domain == BLOCKED]
    convolutions = [node for node in graph.node if node.op_type in ("Conv", "FusedConv")]
    return {
        "blocked": sum(node.domain == BLOCKED for node in convolutions),
        "plain": sum(node.domain != BLOCKED for node in convolutions),
        "sums": sum(len(node.input) > 3 and node.input[3] != "" for node in convolutions),
        "reorders": sum(node.op_type in ("ReorderInput", "ReorderOutput") for node in blocked),
    }


def main():
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({model: executed(optimised(model, folder)) for model in sys.argv[1:]}))


main()
