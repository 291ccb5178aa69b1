"""Who wins among cooled networks, and when rounds gain."""

from dataclasses import replace

import pytest

from netsurgery.networks import topologies
from netsurgery.search.arbor.judgement import (
    best,
    is_clearly_better,
    rounds_without_gain,
    winner_of_contest,
)
from netsurgery.search.records import Status
from tests.support.factories import history, start


def network(loss, channels=8, status=Status.OK):
    """The record of a network of one cell; twice the channels multiply twice as often."""
    topology = topologies.build([{"conv_cell": {"channels": channels}}], (8, 8, 1), 10)
    record = start(history=history(0.5, loss=loss), status=status)
    return replace(record, topology=topology.to_json(), parameters=topology.parameters)


@pytest.mark.parametrize(
    ("records", "price", "winner"),
    [
        ([network(1.0), network(0.9), network(1.1)], 0, 1),
        ([network(1.0), network(1.0)], 0.1, 0),  # of equal ones the first
        ([network(1.0), network(0.99, channels=16)], 0, 1),
        ([network(1.0), network(0.99, channels=16)], 0.1, 0),  # one percent costs twice as much
        ([network(1.0), network(0.5, channels=16)], 0.1, 1),
        ([network(-1.0), network(-1.01, channels=16)], 0.1, 0),  # as with cosine similarity
        ([network(0.1, status=Status.DIVERGED), network(1.0)], 0.1, 1),
        ([network(None), network(1.0)], 0.1, 1),
        ([network(None), network(None)], 0.1, 0),
    ],
)
def test_the_lowest_loss_for_its_price_wins(records, price, winner):
    assert best(records, price) == winner


@pytest.mark.parametrize(
    ("loss", "than", "samples", "clearly"),
    [
        (0.59, 1.0, 20, True),  # with few samples 40 % are more than chance
        (0.61, 1.0, 20, False),
        (0.61, 1.0, 400, True),  # with four times a hundred half of it
        (0.81, 1.0, 400, False),
        (0.94, 1.0, 10_000, True),
        (1.0, 1.0, 10_000, False),
        (-1.5, -1.0, 20, True),  # as with cosine similarity
        (-1.3, -1.0, 20, False),
        (1.0, None, 20, True),
        (None, 1.0, 20, False),
        (None, None, 20, False),
    ],
)
def test_a_loss_is_clearly_lower_by_more_than_chance(loss, than, samples, clearly):
    scored = replace(network(than), validation_samples=samples)
    assert is_clearly_better(network(loss), scored) == clearly


@pytest.mark.parametrize(
    ("records", "winner"),
    [
        ([network(1.0), network(0.9), network(1.1)], 1),
        ([network(1.0), network(0.99), network(0.995)], 0),  # one percent may be chance
        ([network(-1.0), network(-1.01)], 0),
        ([network(0.91), network(0.9, channels=16), network(0.8)], 2),
        ([network(0.1, status=Status.DIVERGED), network(1.0)], 1),
        ([network(None), network(None)], 0),
    ],
)
def test_a_contest_takes_the_first_of_nearly_the_best(records, winner):
    assert winner_of_contest(records) == winner


@pytest.mark.parametrize(
    ("losses", "count"),
    [
        ([], 0),
        ([1.0], 0),
        ([1.0, 0.9], 0),
        ([1.0, 0.995], 1),
        ([1.0, 1.2, 1.1], 2),
        ([1.0, 1.2, 0.9], 0),
        ([1.0, 0.9, 0.95, 0.899], 2),  # measured by the best round before
    ],
)
def test_rounds_without_gain_are_counted_from_the_last(losses, count):
    assert rounds_without_gain(losses, 0.01) == count
