"""Exports small networks to ONNX with PyTorch: parts that exporters spell out in many nodes.

Writes NAME-OPSET.onnx into FOLDER, and NAME-OPSET-open.onnx, whose input has no fixed sides.
Usage: onnx_exports.py FOLDER
"""

import pathlib
import sys
import warnings

import torch
from torch import nn


class Attention(nn.Module):
    """A block of a vision transformer."""

    def __init__(self, width, heads):
        super().__init__()
        self.before, self.behind = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.wide = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        y = self.before(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.wide(self.behind(x))


class Transformer(nn.Module):
    def __init__(self, width=24, heads=3):
        super().__init__()
        self.patches, self.block, self.head = nn.Conv2d(3, width, 8, 8), Attention(width, heads), nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.block(self.patches(x).flatten(2).transpose(1, 2)).mean(1))


class Excitation(nn.Module):
    def __init__(self, channels, activation, gate):
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)
        self.activation, self.gate = activation, gate

    def forward(self, x):
        mean = nn.functional.adaptive_avg_pool2d(x, 1)
        return x * self.gate(self.expand(self.activation(self.reduce(mean))))


class LinearExcitation(nn.Module):
    """As `timm` and others have it: with fully connected layers."""

    def __init__(self, channels):
        super().__init__()
        self.reduce, self.expand = nn.Linear(channels, channels // 4), nn.Linear(channels // 4, channels)

    def forward(self, x):
        gate = torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class Residual(nn.Module):
    """A mobile block: wider, depthwise, excited, narrower."""

    def __init__(self, channels, middle, activation, excitation):
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv2d(channels, middle, 1, bias=False),
            nn.BatchNorm2d(middle),
            activation(),
            nn.Conv2d(middle, middle, 3, 1, 1, groups=middle, bias=False),
            nn.BatchNorm2d(middle),
            activation(),
            excitation,
            nn.Conv2d(middle, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        return x + self.steps(x)


class SpelledHardSwish(nn.Module):
    def forward(self, x):
        return x * nn.functional.relu6(x + 3) / 6


class SpelledHardSigmoid(nn.Module):
    def forward(self, x):
        return nn.functional.relu6(x + 3) / 6


class Shuffle(nn.Module):
    """Channel shuffle, of four groups."""

    def forward(self, x):
        batch, channels, height, width = x.shape
        x = x.view(batch, 4, channels // 4, height, width).transpose(1, 2)
        return x.reshape(batch, channels, height, width)


def networks():
    image = torch.zeros(1, 3, 32, 32)
    efficient = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1),
        SpelledHardSwish(),
        Residual(16, 64, nn.SiLU, Excitation(64, nn.SiLU(), nn.Sigmoid())),
        Residual(16, 32, nn.Hardswish, Excitation(32, nn.ReLU(), SpelledHardSigmoid())),
        Residual(16, 48, nn.ReLU6, LinearExcitation(48)),
        nn.Conv2d(16, 16, 1),
        nn.Mish(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(16, 10),
    )
    pixels = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        Shuffle(),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.ConvTranspose2d(16, 8, 2, 2),
        nn.PixelShuffle(2),
        nn.ReflectionPad2d(1),
        nn.Conv2d(2, 4, 3),
        nn.InstanceNorm2d(4),
        nn.ZeroPad2d(1),
        nn.Conv2d(4, 4, 3),
        nn.LeakyReLU(),
    )
    line = nn.Sequential(nn.Conv1d(6, 20, 5), nn.BatchNorm1d(20), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(20, 8, 3))
    return {
        "transformer": (Transformer(), image),
        "efficient": (efficient, image),
        "pixels": (pixels, image),
        "line": (line, torch.zeros(1, 6, 50)),
        "recurrent": (nn.LSTM(12, 20, 2, batch_first=True, bidirectional=True), torch.zeros(1, 7, 12)),
    }


def main(folder):
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    for name, (network, example) in networks().items():
        open_sides = {0: "batch"}
        # What follows from a length that is open is only known where the network keeps it open, too.
        if name in ("efficient", "pixels"):
            open_sides |= {2: "height", 3: "width"}
        for opset in (11, 16):
            for suffix, axes in (("", None), ("-open", {"x": open_sides})):
                path = pathlib.Path(folder) / f"{name}-{opset}{suffix}.onnx"
                torch.onnx.export(
                    network.eval(), example, str(path), opset_version=opset, input_names=["x"], dynamic_axes=axes
                )


if __name__ == "__main__":
    main(sys.argv[1])
