"""The operators of the parts of a network of the space: what each is, and what it does at batch 1. Imported by `additive_table.py`."""

from typing import NamedTuple

KINDS = (
    "convolution", "expand", "depthwise", "project", "squeeze-excite", "add", "pointwise", "pool", "fully-connected",
)


class Operator(NamedTuple):
    """Named as in the state of the regressor `additive`."""

    kind: str
    kernel: int
    stride: int
    channels_in: int
    channels_out: int
    side_in: int
    side_out: int
    activation: str
    macs: int
    # Numbers read and written, each of four bytes, and weights with biases.
    values: int
    weights: int
    launches: int


def conv(kind, kernel, stride, channels_in, channels_out, side, activation):
    """A convolution with bias, padded by half of its kernel; the kind `depthwise` has one filter for each channel."""
    side_out = (side - 1) // stride + 1
    filters = kernel * kernel * channels_out * (1 if kind == "depthwise" else channels_in)
    values = channels_in * side**2 + channels_out * side_out**2
    return Operator(
        kind, kernel, stride, channels_in, channels_out, side, side_out, activation, filters * side_out**2, values,
        filters + channels_out, 1,
    )


def squeeze_excite(channels, side):
    """Pool, two pointwise convolutions, a hard sigmoid and a product."""
    reduced = multiple_of_8(channels // 4)
    weights = 2 * channels * reduced
    values = (channels * side**2 + channels) + 2 * (channels + reduced) + 2 * channels + (2 * channels * side**2 + channels)
    return Operator(
        "squeeze-excite", 1, 1, channels, channels, side, side, "relu", weights, values, weights + reduced + channels, 5
    )


def multiple_of_8(number):
    """The nearest one, no more than 10 % below (`make_divisible` of the MobileNet papers' code)."""
    nearest = max((number + 4) // 8 * 8, 8)
    return nearest + 8 if nearest * 10 < number * 9 else nearest


def layer(channels_in, channels_out, side, kernel, expansion, stride, se, shortcut, activation):
    """An inverted residual."""
    inner = channels_in * expansion
    side_out = (side - 1) // stride + 1
    yield conv("expand", 1, 1, channels_in, inner, side, activation)
    yield conv("depthwise", kernel, stride, inner, inner, side, activation)
    if se:
        yield squeeze_excite(inner, side_out)
    yield conv("project", 1, 1, inner, channels_out, side_out, "none")
    if shortcut:
        values = 3 * channels_out * side_out**2
        yield Operator("add", 0, 0, channels_out, channels_out, side_out, side_out, "none", 0, values, 0, 1)


def frame(described, channels, side):
    """The operators of the stem or of the head, as the file of the space has them."""
    for op in described:
        if op["op"] == "conv":
            kind = "pointwise" if op["kernel"] == 1 else "convolution"
            built = conv(kind, op["kernel"], op["stride"], channels, op["channels"], side, op["activation"])
        else:
            built = Operator("pool", 0, 0, channels, channels, side, 1, "none", 0, channels * (side**2 + 1), 0, 1)
        yield built
        channels, side = built.channels_out, built.side_out


def classifier(channels, classes):
    weights = channels * classes
    return Operator(
        "fully-connected", 0, 0, channels, classes, 1, 1, "none", weights, channels + classes, weights + classes, 1
    )
