"""Arrays in shared variables, and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.training.packing import LARGE, VariablePacking

SHAPES = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 9)),
        st.tuples(st.integers(1, 90), st.integers(1, 90)),
        st.tuples(*[st.integers(1, 6)] * 4),
    ),
    min_size=1,
    max_size=8,
)


@given(SHAPES)
def test_what_was_packed_is_unpacked_in_order(shapes):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    packing = VariablePacking.of(shapes)
    packed = packing.pack(arrays)
    for array, found in zip(arrays, packing.unpack(packed), strict=True):
        np.testing.assert_array_equal(array, found)
    for array, tensor in zip(arrays, packing.tensors(packed), strict=True):
        np.testing.assert_array_equal(array, tensor)


@given(SHAPES)
def test_only_large_arrays_have_a_variable_of_their_own(shapes):
    packing = VariablePacking.of(shapes)
    large = [i for i, shape in enumerate(shapes) if np.prod(shape) > LARGE]
    shared = [group for group in packing.groups if not set(group) <= set(large)]
    assert len(shared) == (len(large) < len(shapes))
    assert sorted(i for group in packing.groups for i in group) == list(range(len(shapes)))
