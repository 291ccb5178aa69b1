"""TensorFlow's private interfaces: all there, and dispensable."""

import sys

import numpy as np
import pytest

from netsurgery.training import graphs, malloc, tensorflow_internals
from netsurgery.training.prefork import warm_up_tensorflow
from tests.unit.training.test_graphs import new_network, trained

INTERFACES = ("find_operation", "evaluate_constant", "eager_context", "Context")


def test_this_tensorflow_has_every_private_interface():
    missing = [name for name in INTERFACES if getattr(tensorflow_internals, name) is None]
    assert not missing, f"changed since TensorFlow {tensorflow_internals.TESTED_VERSIONS}"
    assert tensorflow_internals.has_operation("Conv2D")
    assert not tensorflow_internals.has_operation("NoSuchOperation")
    assert tensorflow_internals.can_load_functions()


@pytest.mark.skipif(sys.platform != "linux", reason="other builds of TensorFlow lack oneDNN, XLA")
def test_this_tensorflow_has_the_kernels_of_onednn_and_xla():
    names = {*tensorflow_internals.ONEDNN_OPERATIONS.values()}
    names.add(tensorflow_internals.ONEDNN_FUSED_CONV)
    assert all(map(tensorflow_internals.has_operation, names))
    assert tensorflow_internals._find(
        "tensorflow.python.util.pywrap_xla_ops", "get_cpu_kernel_names"
    )


@pytest.fixture
def without_interfaces(monkeypatch):
    monkeypatch.setattr(graphs.GraphCache, "in_memory", {})
    for name in INTERFACES:
        monkeypatch.setattr(tensorflow_internals, name, None)
    monkeypatch.setattr(tensorflow_internals, "_find", lambda module, name: None)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_without_them_gives_the_same_bits(optimizer, tmp_path, request):
    arrays, history = trained(new_network(optimizer=optimizer), graphs.GraphCache())
    request.getfixturevalue("without_interfaces")
    cache = graphs.GraphCache(tmp_path / "graphs")
    public, public_history = trained(new_network(optimizer=optimizer), cache)
    assert not cache.folder.exists()  # nothing to share between processes
    assert public_history == history
    for one, other in zip(arrays, public, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_server_starts_without_them(without_interfaces):
    warm_up_tensorflow()
    assert not tensorflow_internals.has_operation("Conv2D")


def test_a_missing_name_is_none():
    assert tensorflow_internals._find("tensorflow.python.no_such_module", "get") is None
    assert tensorflow_internals._find("tensorflow.python.eager.context", "no_such_name") is None


def test_a_c_library_without_malloc_settings_keeps_its_defaults(monkeypatch):
    monkeypatch.setattr(malloc.ctypes, "CDLL", lambda _: object())
    malloc.disable_trim()
    malloc.trim()
