"""The growths of a trunk, and which of them train."""

from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks import topologies
from netsurgery.search.arbor.growth import growths
from netsurgery.search.arbor.settings import GrowthSettings
from netsurgery.search.first_look import Look, most_promising
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import Mutation, mutate_topology
from netsurgery.surgery.operations import ADD_CELL, ADD_CHANNELS, ADD_RESIDUAL_BLOCK
from tests.support.factories import search

SETTINGS = search(algorithm="arbor", topology="cnn-tiny").settings


def found(max_parameters=100_000, operations=SETTINGS["operations"]):
    topology = topologies.build(topologies.named("cnn-tiny"), (8, 8, 1), 10)
    changed = {"max_parameters": max_parameters, "operations": operations}
    listed = growths(topology, from_settings(GrowthSettings, SETTINGS | changed))
    return topology, [mutate_topology(topology, mutation) for mutation in listed], listed


def test_growths_are_larger_and_differ():
    topology, made, _ = found()
    assert len(made) > 5
    assert len(set(made)) == len(made)
    assert all(child.parameters > topology.parameters for child in made)


def test_growths_keep_the_limits():
    sizes = sorted(child.parameters for child in found()[1])
    _, made, _ = found(max_parameters=sizes[2])
    assert sorted(child.parameters for child in made) == sizes[:2]
    assert found(max_parameters=1)[1] == []


def test_only_chosen_operations_grow():
    _, _, listed = found(operations=["add_cell"])
    assert {mutation.operation for mutation in listed} == {ADD_CELL}


def look(number, gradient, multiplications=100, kind=ADD_CELL):
    return Look(Mutation(kind, number), 10, multiplications, gradient)


KINDS = [ADD_CELL, ADD_CHANNELS, ADD_RESIDUAL_BLOCK]


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.none() | st.floats(0, 1e6)), max_size=8),
    st.integers(1, 5),
)
def test_the_largest_gradients_of_each_operation_train(given_, count):
    looks = [look(i, gradient, kind=kind) for i, (kind, gradient) in enumerate(given_)]
    chosen = most_promising(looks, 100, count)
    finite = [each for each in looks if each.gradient is not None]
    assert len(chosen) == min(count, len(finite))
    kinds = {each.mutation.operation for each in finite}
    assert len({each.mutation.operation for each in chosen}) == min(count, len(kinds))
    for kind in kinds:
        of_kind = sorted(each.gradient for each in finite if each.mutation.operation == kind)
        took = [each.gradient for each in chosen if each.mutation.operation == kind]
        assert sorted(took) == of_kind[len(of_kind) - len(took) :]


def test_multiplications_divide_a_gradient():
    cheap, dear = look(0, 1.0, multiplications=110), look(1, 1.5, multiplications=200)
    assert most_promising([dear, cheap], 100, 1) == [cheap]


def test_a_look_is_read_as_it_was_written():
    assert Look.from_json(look(3, 0.25).to_json()) == look(3, 0.25)
