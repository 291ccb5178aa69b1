"""Graphs as rows that split and join."""

from __future__ import annotations

import pytest

from netsurgery.keras_io.series_parallel import CrossingRowsError, Fork, Row, rows_of

CASES: dict[str, tuple[list[list[int]], Row]] = {
    "a row": ([[-1], [0], [1]], (0, 1, 2)),
    "a shortcut": ([[-1], [0], [1, 0], [2]], (0, Fork(((1,), ()), 2), 3)),
    "a shortcut from the input": ([[-1], [-1, 0]], (Fork(((), (0,)), 1),)),
    "the same tensor twice": ([[-1], [0, 0]], (0, Fork(((), ()), 1))),
    "three rows": (
        [[-1], [0], [0], [2], [1, 3, 0]],
        (0, Fork(((1,), (2, 3), ()), 4)),
    ),
    "a block in a row": (
        [[-1], [0], [1], [2, 1], [3, 0]],
        (0, Fork(((1, Fork(((2,), ()), 3)), ()), 4)),
    ),
    "one block behind another": (
        [[-1], [0, -1], [1], [2, 1]],
        (Fork(((0,), ()), 1), Fork(((2,), ()), 3)),
    ),
    "a join behind a join": (
        [[-1], [-1], [0, 1], [2, -1]],
        (Fork(((Fork(((0,), (1,)), 2),), ()), 3),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_graph_is_rows(name: str) -> None:
    inputs, expected = CASES[name]
    assert rows_of(inputs) == expected


@pytest.mark.parametrize(
    ("inputs", "node"),
    [
        ([[-1], [-1], [0, 1], [1, 2]], 1),  # 1 goes to a block, and past it
        ([[-1], [0], [0], [1, 2], [2, 1], [3, 4]], 2),
    ],
)
def test_rows_that_cross_are_named(inputs: list[list[int]], node: int) -> None:
    with pytest.raises(CrossingRowsError) as crossing:
        rows_of(inputs)
    assert crossing.value.node == node
