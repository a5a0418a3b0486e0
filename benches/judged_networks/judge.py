#!/usr/bin/env python3
"""Compares predictions of networks that nobody of the project made with what was measured of them.

The files are those of export.py, each measured on the target under several replicates, hours apart, and none of them in training:

    lglp measure --registry judged --hardware my-box --onnx FOLDER                  # and later on again
    lglp measure --registry judged --hardware my-box --onnx FOLDER --replicate 1

Prints a line for each network, and the errors of the version in production, of versions that are named, of a roofline that is fitted on the
networks of training (`--train`, needs scipy), and of multiply-accumulates times the constant that suits the judged networks best.
Usage: judge.py LGLP HARDWARE FOLDER MEASUREMENTS.jsonl [--train MEASUREMENTS.jsonl] [--registry DIR] [--model NUMBER]...
"""

import argparse
import json
import pathlib
import statistics
import subprocess


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lglp", help="the program")
    parser.add_argument("hardware")
    parser.add_argument("folder", type=pathlib.Path, help="the ONNX files")
    parser.add_argument("measurements", type=pathlib.Path, help="onnx.jsonl of `lglp dataset export`, of the judged networks")
    parser.add_argument("--train", type=pathlib.Path, help="the measurements that a roofline is fitted on")
    parser.add_argument("--registry", help="the folder of the registry with the models")
    parser.add_argument("--model", action="append", default=[], help="a version beside the one in production")
    parser.add_argument("--coverage", default="0.9", help="of intervals")
    arguments = parser.parse_args()

    measured, spread, tables = labels(arguments.measurements)
    files = [path for path in sorted(arguments.folder.glob("*.onnx")) if path.stem in measured]
    models = {model: predict(arguments, files, model) for model in ["production", *arguments.model]}
    first = models["production"]
    print(f"{'network':34} {'measured ms':>12} {'predicted ms':>13} {'error':>8}  {'interval':>17}  unknown")
    for path, prediction in zip(files, first):
        value, unknown = prediction["latency_ms"], prediction["network"].get("unknown_operators", [])
        share = sum(one["share"] for one in unknown)
        interval = prediction.get("interval")
        told = f"{interval['low']:8.2f} {interval['high']:8.2f}" if interval else "none"
        error = 100 * (value / measured[path.stem] - 1)
        names = f"{100 * share:.1f} %: {unknown[0]['operator']}" if unknown else ""
        print(f"{path.stem:34} {measured[path.stem]:12.2f} {value:13.2f} {error:+7.1f} %  {told:>17}  {names}")

    known = [is_known(prediction) for prediction in first]
    truth = [measured[path.stem] for path in files]
    print(f"\n{len(files)} networks, {sum(known)} of operators that are known; labels of one differ by {spread:.1f} % in the median")
    print(f"{'':36} {'median':>7} {'mean':>7} {'in 10':>6} {'in 15':>6} {'in 25':>6} {'Spearman':>9} {'covered':>8}")
    for name, predictions in models.items():
        values = [prediction["latency_ms"] for prediction in predictions]
        report(f"{name}, known operators", *chosen(known, truth, values), chosen(known, predictions)[0])
        report(f"{name}, all", truth, values, predictions)
    if arguments.train:
        price = roofline(*labels(arguments.train)[::2])
        report("roofline of the training", truth, [price(tables[path.stem]) for path in files])
    macs = [prediction["network"]["macs"] for prediction in first]
    constant = statistics.median(y / m for y, m in zip(truth, macs))
    report("MACs x the constant of these", truth, [constant * m for m in macs])


def labels(path):
    """The median latency of each name over its replicates, how far two of these differ, in the median, %, and its operators."""
    replicates, tables = {}, {}
    for line in path.read_text().splitlines():
        measurement = json.loads(line)
        network = measurement["network"]
        replicates.setdefault(network["name"], []).append(measurement["latency_ms"])
        if "operators" in network:
            tables[network["name"]] = network["operators"]
    spreads = [100 * abs(ms[0] / ms[1] - 1) for ms in replicates.values() if len(ms) > 1]
    medians = {name: statistics.median(ms) for name, ms in replicates.items()}
    return medians, statistics.median(spreads or [float("nan")]), tables


def roofline(latencies, tables):
    """Prices, none negative, of launches, weights, and the arithmetic and bytes of each kind: least squares of the relative error."""
    import numpy as np
    from scipy.optimize import nnls

    def amounts(operators):
        sums = np.zeros(2 + 2 * 256)
        for kind, *_, launches, macs, moved, weights in operators:
            sums[:2] += launches, weights
            sums[2 + 2 * kind : 4 + 2 * kind] += macs, moved
        return sums

    rows = np.array([amounts(tables[name]) / ms for name, ms in latencies.items()])
    largest = np.maximum(rows.max(axis=0), 1e-300)
    prices = nnls(rows / largest, np.ones(len(rows)))[0] / largest
    return lambda operators: float(amounts(operators) @ prices)


def predict(arguments, files, model):
    command = [arguments.lglp, "predict", "--hardware", arguments.hardware, "--model", model, "--json"]
    command += ["--coverage", arguments.coverage]
    command += ["--registry", arguments.registry] if arguments.registry else []
    done = subprocess.run([*command, *map(str, files)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["predictions"]


def is_known(prediction):
    return not prediction["network"].get("unknown_operators")


def chosen(flags, *columns):
    return [[one for flag, one in zip(flags, column) if flag] for column in columns]


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0] * len(values)
    for rank, at in enumerate(order):
        found[at] = rank
    return found


def report(name, truth, values, predictions=None):
    errors = [100 * abs(value / y - 1) for value, y in zip(values, truth)]
    if not errors:
        return
    within = [100 * sum(error <= bound for error in errors) / len(errors) for bound in (10, 15, 25)]
    spearman = statistics.correlation(ranks(truth), ranks(values))
    intervals = [(p["interval"], y) for p, y in zip(predictions or [], truth) if p.get("interval")]
    covered = f"{100 * sum(i['low'] <= y <= i['high'] for i, y in intervals) / len(intervals):7.1f}%" if intervals else ""
    print(
        f"{name:36} {statistics.median(errors):6.1f}% {statistics.fmean(errors):6.1f}% "
        f"{within[0]:5.0f}% {within[1]:5.0f}% {within[2]:5.0f}% {spearman:9.4f} {covered:>8}"
    )


main()
