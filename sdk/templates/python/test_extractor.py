"""Tests of @name@: `python3 -m unittest`."""

import unittest
from types import SimpleNamespace

import numpy as np

from @crate@ import PLUGIN, @Type@


class Tests(unittest.TestCase):
    def test_it_is_told_what_it_is(self):
        self.assertEqual(PLUGIN["components"], [@Type@])
        self.assertEqual((@Type@.kind, @Type@.name), ("feature-extractor", "@name@"))

    def test_features_are_kept_with_the_state(self):
        inputs = np.random.default_rng(0).random((50, 4, 3), dtype=np.float32)
        fitted = @Type@.fit({}, SimpleNamespace(train=inputs))
        features = fitted.extract(inputs)
        self.assertEqual(features.shape, (50, fitted.outputs()))
        np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
        loaded = @Type@.load(@Type@.state_version, fitted.save())
        np.testing.assert_array_equal(loaded.extract(inputs), features)


if __name__ == "__main__":
    unittest.main()
