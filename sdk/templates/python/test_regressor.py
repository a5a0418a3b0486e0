"""Tests of @name@: `python3 -m unittest`."""

import unittest
from types import SimpleNamespace

import numpy as np

from @crate@ import PLUGIN, @Type@


class Tests(unittest.TestCase):
    def test_it_is_told_what_it_is(self):
        self.assertEqual(PLUGIN["components"], [@Type@])
        self.assertEqual((@Type@.kind, @Type@.name), ("regressor", "@name@"))

    def test_it_learns_a_sum_and_keeps_it(self):
        rows = np.random.default_rng(0).random((200, 1, 5), dtype=np.float32)
        targets = 3.0 + rows.sum(axis=(1, 2), dtype=np.float64)
        data = SimpleNamespace(train=rows, train_targets=targets, progress=lambda *_: True)
        fitted = @Type@.fit({"strength": 0.0}, data)
        np.testing.assert_allclose(fitted.predict(rows), targets, rtol=1e-4)
        loaded = @Type@.load(@Type@.state_version, fitted.save())
        np.testing.assert_array_equal(loaded.predict(rows), fitted.predict(rows))

    def test_damaged_states_are_refused(self):
        with self.assertRaises(ValueError):
            @Type@.load(@Type@.state_version, b"nothing of its own")


if __name__ == "__main__":
    unittest.main()
