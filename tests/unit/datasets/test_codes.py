"""Categories of many levels: codes, which a network looks up in a table of trained vectors."""

import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.datasets import codes
from netsurgery.keras_io import archive, conversion, preprocessing
from netsurgery.keras_io.embedding import embedding_front
from netsurgery.networks import inference, topologies
from netsurgery.networks.costs import multiplications
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.search.arbor.shapes import shapes
from netsurgery.search.arbor.templates import templates_for
from netsurgery.search.size_limit import SizeLimits
from netsurgery.surgery import legal_mutations
from tests.support.factories import complete_dataset

LEVELS = 12, 9  # of the shops and the items below


def table(tmp_path, rows=300, **settings):
    lines = ["shop,size,item,colour,class"]
    for i in range(rows):
        item = f"i{i % LEVELS[1]}" if i % 50 else ""
        lines.append(f"s{i % LEVELS[0]},{i},{item},{'rb'[i % 2]},{'xyz'[i % 3]}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    given = {"source": "csv", "path": str(tmp_path / "t.csv"), "target": "class"}
    datasets.prepare("d", complete_dataset({**given, **settings}), tmp_path)
    return datasets.describe(tmp_path), np.load(tmp_path / "x.npy")


def split(folder, **settings):
    chosen = datasets.SplitSettings(0.2, 0.2, **settings)
    datasets.write_split(folder, folder / "split.npz", chosen, 0)
    return datasets.read_part(folder, folder / "split.npz", "test")


def test_many_levels_are_one_feature_behind_all_others(tmp_path):
    data, x = table(tmp_path, max_one_hot_levels=8)
    assert [(f["column"], f["kind"]) for f in data["features"]] == [
        ("size", "number"),
        ("colour", "level"),
        ("colour", "level"),
        ("shop", "code"),
        ("item", "code"),
    ]
    shops = sorted(f"s{i}" for i in range(LEVELS[0]))
    assert x[:, 3].tolist() == [shops.index(f"s{i % LEVELS[0]}") + 1 for i in range(300)]
    assert (x[::50, 4] == 0).all()
    assert x[1:50, 4].min() == 1
    assert [row["features"] for row in data["table"]] == [1, 1, 1, 2, 0]


@pytest.mark.parametrize("most", [9, 12, 100])
def test_up_to_a_limit_levels_are_features(most, tmp_path):
    data, x = table(tmp_path, max_one_hot_levels=most)
    assert codes.counts(data) == ([LEVELS[0] + 1] if most < LEVELS[0] else [])
    wide = 4 + LEVELS[1] + (1 if most < LEVELS[0] else LEVELS[0])
    assert x.shape[1] == wide  # and one for missing items


def test_rows_that_become_images_have_no_codes(tmp_path):
    data, _ = table(tmp_path, max_one_hot_levels=8, reshape_to=[5, 5])
    assert codes.counts(data) == []


@pytest.mark.parametrize("numbers", ["scaled", "piecewise_linear"])
def test_codes_of_all_columns_differ(numbers, tmp_path):
    data, x = table(tmp_path, max_one_hot_levels=8)
    samples = split(tmp_path, numbers=numbers)
    inputs = samples.inputs(np.arange(len(samples)))
    stored = x[samples.indices]
    np.testing.assert_array_equal(inputs[:, -2], stored[:, 3])
    np.testing.assert_array_equal(inputs[:, -1], stored[:, 4] + LEVELS[0] + 1)
    assert sum(codes.counts(data)) == sum(LEVELS) + 2


@pytest.fixture(scope="module", params=["scaled", "piecewise_linear"])
def embedded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    data, _ = table(folder, max_one_hot_levels=8)
    samples = split(folder, numbers=request.param)
    inputs = samples.input_shape[0]
    front = embedding_front(inputs, codes.counts(data))
    entries = topologies.named("ff-small")
    topology = topologies.build(entries, samples.input_shape, 3, front=front)
    return data, samples, initialise(topology, np.random.default_rng(0)), folder


def test_the_network_takes_the_vector_of_each_code(embedded):
    _, samples, network, _ = embedded
    inputs = samples.inputs(np.arange(len(samples)))
    front = topologies.front_of(network.topology)
    join = network.topology.position(0)
    found = inference.run_layers(network, inference.as_input(inputs), 0, join + 1)[join]
    (vectors,) = next(w for w in network.weights if w and w[0].shape == (sum(LEVELS) + 2, 8))
    looked_up = vectors[inputs[:, -2:].astype(int)].reshape(len(inputs), -1)
    np.testing.assert_array_equal(found, np.hstack([inputs[:, :-2], looked_up]))
    assert len(front) == 1


def test_the_model_of_raw_rows_looks_levels_up(embedded):
    data, samples, network, folder = embedded
    model = preprocessing.with_preprocessing(
        conversion.to_keras(network), data, samples.scaling, samples.target
    )
    archive.save(model, folder / "model.keras")
    (raw,) = datasets.raw_samples(data, samples.indices)
    raw = {name: np.asarray(values)[:, None] for name, values in raw.items()}
    read = archive.load(folder / "model.keras")
    found = read({name: archive.keras.ops.convert_to_tensor(v) for name, v in raw.items()})
    expected = inference.predict(network, samples.inputs(np.arange(len(samples))))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    before = found.numpy()[0]
    raw["shop"] = np.full_like(raw["shop"], "new")
    other = read({name: archive.keras.ops.convert_to_tensor(v) for name, v in raw.items()})
    assert not np.allclose(other.numpy()[0], before)


def test_surgery_leaves_the_table_alone_and_templates_have_it(embedded):
    _, _, network, _ = embedded
    topology, front = network.topology, topologies.front_of(network.topology)
    places = {str(mutation.position) for mutation in legal_mutations(topology)}
    assert places
    assert not any(place.startswith("0.") or place == "0" for place in places)
    found = {**templates_for(topology), **shapes(topology, SizeLimits(max_parameters=2000))}
    assert len(found) > 3
    assert all(topologies.front_of(each) == front for each in found.values())
    sizes = [each.parameters for each in shapes(topology, SizeLimits(2000)).values()]
    assert max(sizes) < 2000
    assert multiplications(topology) < topology.parameters - 8 * sum(LEVELS)


def test_vectors_are_as_long_as_the_limit_allows():
    for limit, expected in ((None, 8), (100_000, 8), (8_000, 4), (500, 1)):
        front = embedding_front(5, [1000], limit)
        assert Topology((5,), front).output_shape == (4 + expected,)


def test_a_table_of_codes_alone_has_no_other_branch():
    front = embedding_front(2, [10, 20])
    topology = topologies.build([{"dense": {"units": 3}}], (2,), 2, front=front)
    assert topologies.front_of(topology) == front
    network = initialise(topology, np.random.default_rng(0))
    rows = np.array([[3, 10], [0, 29]], np.float32)
    assert inference.predict(network, rows).shape == (2, 2)
    assert all(t.row[:2] == front for t in templates_for(topology).values())
