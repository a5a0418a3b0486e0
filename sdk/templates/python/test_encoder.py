"""Tests of @name@: `python3 -m unittest`."""

import unittest

import numpy as np

from @crate@ import PLUGIN, @Type@


class Tests(unittest.TestCase):
    def test_it_is_told_what_it_is(self):
        self.assertEqual(PLUGIN["components"], [@Type@])
        self.assertEqual((@Type@.kind, @Type@.name), ("encoder", "@name@"))

    def test_rows_become_numbers(self):
        encoder = @Type@({"row_len": 3}, {"scale": 2})
        encoded = encoder.encode(np.array([[0, 1, 2], [2, 2, 2]], dtype=np.uint8))
        self.assertEqual(encoded.shape, (2, *encoder.shape()))
        np.testing.assert_array_equal(encoded[:, 0], [[0, 2, 4, 6], [4, 4, 4, 12]])

    def test_parameters_are_looked_at(self):
        with self.assertRaisesRegex(ValueError, "scale"):
            @Type@({"row_len": 3}, {"scale": -1})


if __name__ == "__main__":
    unittest.main()
