"""The search space as the peers read it. Imported."""

import pathlib
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = ROOT / "catalog/spaces/mobilenetv3.toml"
# Blocks of the space, and layers of a block at most.
BLOCKS, LAYERS = 10, 4


def space():
    """The content of the space's file."""
    with open(FILE, "rb") as file:
        return tomllib.load(file)
