"""The measurement of how exact operations are, on a few networks."""

from __future__ import annotations

from benchmarks import exactness


def test_exact_operations_change_no_output() -> None:
    found = exactness.measure(range(2), keras=1)
    changes = [change for of in found.values() for how in of for change in of[how]]
    assert {how for of in found.values() for how in of} == set(exactness.COMPUTED)
    assert 0 < max(changes) < 1e-5


def test_table_shows_the_largest_change() -> None:
    changes = {"double": [1e-9, 2e-8], "single": [0.0, 3e-7], "Keras": [4e-7]}
    *_, line = exactness.table({"`add_units`, zeros": changes}).splitlines()
    assert line == "| `add_units`, zeros | 2 | 2.0e-08 | 3.0e-07 |  |  | 1 | 4.0e-07 |"
