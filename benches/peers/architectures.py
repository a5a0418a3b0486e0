"""Architectures of the space, and the requests that they are asked by. Imported by benches/peers.py."""

import json
import pathlib
import subprocess

from space import LAYERS, space

# Rows of the large request, and of the one by which its time is estimated beforehand.
BATCH, SMALL_BATCH = 10_000, 1_000
# Requests of one architecture each: many, since repeated ones train caches and branch predictors.
SINGLES = 2_000


def readable(text):
    """The readable form of a canonical text."""
    head, *blocks = text.split("/")
    layer = lambda word: {"kernel": int(word[1]), "expansion": int(word[3]), "shortcut": word.endswith("i")}
    block = lambda words: {
        "stride": int(words[0][1:]), "se": "se" in words, "layers": [layer(word) for word in words[1:] if word != "se"],
    }
    return {"resolution": int(head.split("@")[1]), "blocks": [block(words.split("-")) for words in blocks]}


def row(architecture, choices):
    """The row of a readable form: places among the choices, counted from 1, and zeros for layers that are not there."""
    place = lambda name, value: 1 + choices[name].index(value)
    values = [place("resolution", architecture["resolution"])]
    for block in architecture["blocks"]:
        for at in range(LAYERS):
            if at >= len(block["layers"]):
                values += [0] * 5
                continue
            layer = block["layers"][at]
            # A block's stride is that of its first layer.
            stride = block["stride"] if at == 0 else 1
            chosen = {"kernel": layer["kernel"], "expansion": layer["expansion"], "stride": stride, "se": block["se"]}
            values += [place(name, value) for name, value in (chosen | {"shortcut": layer["shortcut"]}).items()]
    return bytes(values)


def body(written, version):
    """A request for a version, of architectures that are written already."""
    return f'{{"model":"{version}","architectures":[{",".join(written)}]}}'


class Requests:
    """The files that loads read, in a folder: the same bytes for every contender of a recipe."""

    def __init__(self, program, root, folder, versions):
        drawn = [program, "sample", "--space", "mobilenetv3", "--count", str(BATCH), "--seed", "1"]
        texts = subprocess.run(drawn, cwd=root, check=True, capture_output=True, text=True).stdout.split()
        drawn = [readable(text) for text in texts]
        written = [json.dumps(one, separators=(",", ":")) for one in drawn]
        self.folder = pathlib.Path(folder)
        self.architectures = self.folder / "architectures.json"
        self.architectures.write_text(f"[{','.join(written)}]")
        self.rows = self.folder / "rows"
        choices = space()["choices"]
        self.rows.write_bytes(b"".join(row(one, choices) for one in drawn))
        for recipe, version in versions.items():
            self.singles(recipe).write_text("".join(body([one], version) + "\n" for one in written[:SINGLES]))
            for rows in (BATCH, SMALL_BATCH):
                self.batch(recipe, rows).write_text(body(written[:rows], version))
            self.checked(recipe).write_text(body(written[:50], version))

    def singles(self, recipe):
        """One request of one architecture in each line."""
        return self.folder / f"{recipe}-singles"

    def batch(self, recipe, rows):
        return self.folder / f"{recipe}-{rows}"

    def checked(self, recipe):
        """The request whose answers are compared."""
        return self.folder / f"{recipe}-checked"
