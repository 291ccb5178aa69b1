"""The operations that offspring are made by: those of the paper, or others."""

from __future__ import annotations

import pytest

from netsurgery.networks import topologies
from netsurgery.search.ectonas.generation import propose_offspring
from netsurgery.search.ectonas.settings import GenerationSettings
from netsurgery.search.records import Record
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import ECTONAS, OPERATIONS
from tests.support.factories import search

START = topologies.build(topologies.named("resnet-tiny"), (8, 8, 1), 10)
BLOCKS = ["remove_block", "add_residual_block"]


def settings(**given: object) -> GenerationSettings:
    return from_settings(GenerationSettings, search(topology="resnet-tiny", **given).settings)


def names(chosen: GenerationSettings) -> list[str]:
    return [operation.name for operation in chosen.chosen_operations]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (None, [each.name for each in ECTONAS]),
        (["ectonas"], [each.name for each in ECTONAS]),
        (["add_units"], ["identity", "add_units"]),
        (BLOCKS, ["identity", "add_residual_block", "remove_block"]),
        (["ectonas", *BLOCKS], [*(each.name for each in ECTONAS), *reversed(BLOCKS)]),
        ([each.name for each in OPERATIONS], [each.name for each in OPERATIONS]),
    ],
)
def test_operations_come_in_one_order(operations: list[str] | None, expected: list[str]) -> None:
    given = {} if operations is None else {"operations": operations}
    assert names(settings(**given)) == expected


def test_offspring_are_made_by_the_chosen_operations() -> None:
    parent = Record(
        candidate="g00c00",
        parent=None,
        operation=None,
        position=None,
        generation=0,
        step="warm-up",
        topology=START.to_json(),
        parameters=START.parameters,
        batches_per_epoch=40,
    )
    chosen = settings(operations=BLOCKS, recuperation={"add_residual_block": 0.5})
    offspring, _ = propose_offspring([parent], 1, chosen, 0)
    batches = {child.mutation.operation.name: child.batches for child in offspring}
    assert batches.keys() == {"identity", *BLOCKS}
    assert batches["add_residual_block"] == 20
    assert batches["identity"] == 4  # the default of the schema
    removal = next(each for each in OPERATIONS if each.name == "remove_block")
    assert batches["remove_block"] == 40 * removal.recuperation_epochs
