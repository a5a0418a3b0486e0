"""The encoding `D` of architectures, layer by layer, in numpy. Imported.

Everything but the resolution follows from the slot of a layer and what is chosen there: a table has the values of each, and encoding
gathers its rows.
"""

import itertools

import numpy as np

from space import BLOCKS, LAYERS, space

KERNELS, EXPANSIONS = {3: 0, 5: 1, 7: 2}, {3: 0, 4: 1, 6: 2}
# Kernels, expansions, strides, squeeze-and-excitation, shortcuts.
CHOICES = 3 * 3 * 2 * 2 * 2


def code(kernel, expansion, stride, se, shortcut):
    """Which of the choices a layer is."""
    return (((KERNELS[kernel] * 3 + EXPANSIONS[expansion]) * 2 + stride - 1) * 2 + se) * 2 + shortcut


class Encoding:
    def __init__(self):
        described = space()
        choices = described["choices"]
        self.resolutions = {resolution: at for at, resolution in enumerate(choices["resolution"])}
        widths = choices["width"]
        # One-hot kernel, expansion and stride, two flags, one-hot channels in and out.
        self.width = 3 + 3 + 2 + 2 + 2 * len(widths)
        table = np.zeros((BLOCKS * LAYERS, CHOICES, self.width), np.float32)
        for block, described_block in enumerate(described["blocks"]):
            first, out = (widths.index(channels) for channels in described_block["channels"])
            for layer, kernel, expansion, stride, se, shortcut in itertools.product(
                range(LAYERS), KERNELS, EXPANSIONS, (1, 2), (0, 1), (0, 1)
            ):
                row = table[block * LAYERS + layer, code(kernel, expansion, stride, se, shortcut)]
                row[[KERNELS[kernel], 3 + EXPANSIONS[expansion], 6 + stride - 1]] = 1
                row[8:10] = se, shortcut
                row[[10 + (out if layer else first), 10 + len(widths) + out]] = 1
        self.table = table.reshape(-1, self.width)

    def encode(self, architectures):
        """`[architectures, slots, values]`; zeros where a layer is absent."""
        entries, places, resolutions = [], [], []
        slots = BLOCKS * LAYERS
        for number, architecture in enumerate(architectures):
            slot = number * slots
            resolution = self.resolutions[architecture.resolution]
            for at, block in enumerate(architecture.blocks):
                stride, se = block.stride, block.se
                for layer, chosen in enumerate(block.layers):
                    own = code(chosen.kernel, chosen.expansion, stride, se, chosen.shortcut)
                    entries.append((at * LAYERS + layer) * CHOICES + own)
                    places.append(slot + at * LAYERS + layer)
                    resolutions.append(resolution)
                    stride = 1
        rows = np.zeros((len(architectures) * slots, self.width + len(self.resolutions)), np.float32)
        places = np.array(places)
        rows[places, : self.width] = self.table[entries]
        rows[places, self.width + np.array(resolutions)] = 1
        return rows.reshape(len(architectures), slots, -1)
