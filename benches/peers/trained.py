"""Builds of lglp, each with a registry that it trained itself: a version of another build may run in another mode. Imported by
benches/peers.py."""

import hashlib
import pathlib
import subprocess

HARDWARE = "epyc-1t"
# Recipes, and the versions that they become.
VERSIONS = {"additive": "1", "lglp": "2"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Untrained(Exception):
    """Why there is no trained registry of a build."""


class Build:
    def __init__(self, name, program, registries):
        """Trains, unless a registry of this contender and build lies among the registries."""
        self.program = pathlib.Path(program).resolve()
        if not self.program.is_file():
            raise Untrained(f"there is no program {self.program}; `make build` makes lglp")
        self.digest = self.files_digest()
        # Spaces and recipes of its own checkout where it lies in one, else of this one.
        checkouts = [folder for folder in self.program.parents if (folder / "catalog/recipes").is_dir()]
        self.cwd = checkouts[0] if checkouts else ROOT
        self.registry = pathlib.Path(registries).resolve() / f"{name}-{self.digest[:12]}"
        trained = self.registry / "trained"
        if trained.exists():
            return
        # What an interrupted training left would give other numbers to the versions.
        if self.registry.exists():
            raise Untrained(f"{self.registry} holds a training that was interrupted; remove it")
        self.registry.mkdir(parents=True)
        self.run("dataset", "import", ROOT / "datasets" / HARDWARE)
        for recipe in VERSIONS:
            print(f"training {recipe} by {self.program}", flush=True)
            self.run("train", "--hardware", HARDWARE, "--recipe", recipe)
        trained.touch()

    def files_digest(self):
        """Of the program and of its plugins."""
        digest = hashlib.sha256()
        for file in [self.program, *sorted((self.program.parent / "plugins").iterdir())]:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()

    def run(self, *words):
        """Runs a command on the registry; gives what it prints."""
        command = [self.program, *words, "--registry", self.registry / "registry"]
        done = subprocess.run(command, cwd=self.cwd, capture_output=True, text=True)
        if done.returncode:
            raise Untrained(f"{' '.join(map(str, command))}: {done.stderr}")
        return done.stdout

    def version(self):
        return self.run("--version").strip()

    def export(self, recipe, folder):
        """The bundle of a recipe's version, as a file in a folder."""
        file = pathlib.Path(folder) / f"{recipe}.lglp"
        self.run("models", "export", "--hardware", HARDWARE, VERSIONS[recipe], "-o", file)
        return file
