"""Spares Python's search for cycles. Imported.

A large request makes a million objects, none of them in a cycle, and Python would look through all of them again and again while they are
made: with its own settings reading the request takes five times as long.
"""

import gc


def collect_seldom():
    """To be called when what stays is loaded."""
    gc.freeze()
    gc.set_threshold(1_000_000)
