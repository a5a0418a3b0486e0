"""Reads a bundle that `lglp models export` wrote; docs/bundles.md has the layout. Imported."""

import json
import tarfile


def read(path):
    """The manifest, and the bytes of the fitted parts by their roles, such as `extractor`."""
    with tarfile.open(path) as archive:
        content = lambda name: archive.extractfile(name).read()
        manifest = json.loads(content("manifest.json"))
        blob = lambda digest: content("blobs/" + digest.removeprefix("sha256:"))
        parts = {role: blob(digest) for role, digest in manifest["version"]["content"]["artifacts"].items()}
    return manifest, parts
