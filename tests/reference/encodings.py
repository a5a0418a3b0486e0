"""The encodings, written a second time: architectures as readable JSON lines on standard input, rows of numbers out.

Usage: encodings.py SPACE.toml A|B|C|D|decisions < ARCHITECTURES. `decisions` is of spaces of decisions here.
"""

import json
import sys
import tomllib


def one_hot(choices, value):
    return [float(choice == value) for choice in choices]


def slots(space, architecture):
    """Every layer slot: None where absent, else the layer's attributes."""
    for block, chosen in zip(space["blocks"], architecture["blocks"]):
        for i in range(max(block["depth"])):
            if i >= len(chosen["layers"]):
                yield None
                continue
            layer = chosen["layers"][i]
            yield {
                "kernel": layer["kernel"],
                "expansion": layer["expansion"],
                "stride": chosen["stride"] if i == 0 else 1,
                "se": chosen["se"],
                "shortcut": layer["shortcut"],
                "in": block["channels"][0 if i == 0 else 1],
                "out": block["channels"][1],
            }


def encode_decisions(space, architecture):
    """What is chosen one-hot, decision by decision, and where there are more than two numbers their size relative to the largest."""
    row = []
    for decision in space["decisions"]:
        choices, told = decision["choices"], architecture.get(decision["name"])
        if "repeat" in decision:
            told = told or []
            told += [None] * (most_repetitions(space, decision["repeat"]) - len(told))
        else:
            told = [told]
        sized = len(choices) > 2 and not any(isinstance(choice, str) for choice in choices)
        for value in told:
            row += one_hot(choices, value)
            if sized:
                row.append(0.0 if value is None else value / max(choices))
    return row


def most_repetitions(space, repeat):
    """The most that `6`, `"depth"` or `"2 + depth.3"` may be."""
    most = 0
    for term in str(repeat).split("+"):
        term = term.strip()
        names = {term, term.rpartition(".")[0]}
        found = [max(d["choices"]) for d in space["decisions"] if d["name"] in names]
        most += found[0] if found else int(term)
    return most


def encode(space, name, architecture):
    if name == "decisions":
        return encode_decisions(space, architecture)
    choices = space["choices"]
    kernels, expansions, resolution = choices["kernel"], choices["expansion"], architecture["resolution"]
    layers = list(slots(space, architecture))
    bucket = one_hot(range(8), resolution // 146)
    if name == "A":
        return [x for s in layers for x in ((s["kernel"], s["expansion"], resolution / 100) if s else (0, 0, 0))]
    if name == "B":
        row = [x for s in layers for x in one_hot(kernels, s and s["kernel"])]
        row += [x for s in layers for x in one_hot(expansions, s and s["expansion"])]
        row += bucket
        return row + [0.0] * (-len(row) % 16)
    if name == "C":
        pairs = (one_hot(kernels, s and s["kernel"]) + one_hot(expansions, s and s["expansion"]) for s in layers)
        return [x for pair in pairs for x in pair] + bucket
    row = []
    for s in layers:
        s = s or dict.fromkeys(("kernel", "expansion", "stride", "in", "out")) | {"se": 0, "shortcut": 0, "absent": True}
        row += one_hot(kernels, s["kernel"]) + one_hot(expansions, s["expansion"]) + one_hot(choices["stride"], s["stride"])
        row += [float(s["se"]), float(s["shortcut"])]
        row += one_hot(choices["width"], s["in"]) + one_hot(choices["width"], s["out"])
        row += one_hot(choices["resolution"], None if "absent" in s else resolution)
    return row


def main():
    with open(sys.argv[1], "rb") as file:
        space = tomllib.load(file)
    for line in sys.stdin:
        print(json.dumps(encode(space, sys.argv[2], json.loads(line))))


main()
