"""Reference models: distances, features and metrics are what their papers and networks have."""

import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.analysis.references import models, rocket, warping
from netsurgery.analysis.references.results import read_references
from netsurgery.jobs.reference import train_reference
from tests.support.factories import complete_dataset

RNG = np.random.default_rng(0)


def slow_distance(a, b, window):
    """The recursion of dynamic time warping, as it is written in the paper."""
    n = len(a)
    table = np.full((n + 1, n + 1), np.inf)
    table[0, 0] = 0
    for i in range(n):
        for j in range(max(0, i - window), min(n, i + window + 1)):
            before = min(table[i, j + 1], table[i + 1, j], table[i, j])
            table[i + 1, j + 1] = np.sum((a[i] - b[j]) ** 2) + before
    return table[n, n]


@pytest.mark.parametrize(("steps", "window"), [(1, 1), (2, 1), (7, 1), (8, 3), (9, 9), (12, 20)])
def test_warped_distances_are_those_of_the_recursion(steps, window):
    query, series = RNG.normal(size=(steps, 2)), RNG.normal(size=(5, steps, 2))
    expected = [slow_distance(query, each, window) for each in series]
    np.testing.assert_allclose(warping.warped_distances(query, series, window), expected)


def test_features_are_those_of_each_convolution():
    series = RNG.normal(size=(3, 20, 4))
    kernels = [rocket.random_kernel(RNG, 20, 4) for _ in range(30)]
    found = rocket.features(series, kernels).reshape(3, 30, 2)
    assert {k.dilation for k in kernels} > {1}
    assert {len(k.channels) for k in kernels} > {1}
    for k, kernel in enumerate(kernels):
        x = np.pad(series[:, :, kernel.channels], ((0, 0), (kernel.padding,) * 2, (0, 0)))
        taps = np.arange(len(kernel.weights)) * kernel.dilation
        starts = range(x.shape[1] - taps[-1])
        values = [np.sum(x[:, s + taps] * kernel.weights, axis=(1, 2)) for s in starts]
        values = np.stack(values, axis=1) + kernel.bias
        np.testing.assert_allclose(found[:, k, 0], values.max(axis=1), rtol=1e-5)
        np.testing.assert_allclose(found[:, k, 1], (values > 0).mean(axis=1), rtol=1e-5)


def waves(folder):
    """Series whose class is their shape, not where it begins."""
    y = np.arange(60) % 2
    steps = np.arange(40)[None] - RNG.integers(10, 25, (60, 1))
    bumps = np.exp(-((steps / 4) ** 2)) * np.where(y, 1, -1)[:, None]
    np.savez(
        folder / "x.npz", x_train=bumps[..., None] + RNG.normal(0, 0.1, (60, 40, 1)), y_train=y
    )
    return {"source": "series", "path": f"{folder}/x.npz"}


def table(folder):
    x = RNG.normal(size=(300, 3))
    x[::9, 2] = np.nan
    y = 3e-13 * (x[:, 0] > 0) + 1e-12
    lines = [",".join(map(str, row)) for row in np.column_stack([x, y]).tolist()]
    (folder / "t.csv").write_text("\n".join(["a,b,c,y", *lines]).replace("nan", ""))
    return {"source": "csv", "path": f"{folder}/t.csv", "target": "y", "task": "regression"}


def images(folder):
    """Images whose class is the brighter half."""
    y = np.arange(120) % 2
    x = RNG.normal(0, 0.1, (120, 33, 20, 1))
    x[y == 1, :16] += 1
    x[y == 0, 16:] += 1
    np.savez(folder / "x.npz", x_train=x, y_train=y)
    return {"source": "npz", "path": f"{folder}/x.npz"}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (waves, {models.NEIGHBOUR: "100.0%", models.ROCKET: "100.0%"}),
        (table, {models.BOOSTING: "r2 1.000"}),
        (images, {f"{models.BOOSTING} on pixels": "100.0%"}),
    ],
)
def test_reference_models_suit_the_data(make, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(rocket, "KERNELS", 100)
    datasets.prepare("d", complete_dataset(make(tmp_path)), tmp_path / "data")
    split = tmp_path / "split.npz"
    datasets.write_split(tmp_path / "data", split, datasets.SplitSettings(0.1, 0.2), 0)
    train_reference(tmp_path / "data", split, 0, tmp_path / "reference.json")
    found = read_references(tmp_path)
    assert {each.name: each.result for each in found} == expected
    monkeypatch.setattr(models, "MAX_OPERATIONS", 10)
    train_reference(tmp_path / "data", split, 0, tmp_path / "reference.json")
    if make is not table:
        why = "not trained: too many or too large samples"
        assert {each.result for each in read_references(tmp_path)} == {why}


def test_the_metrics_are_those_of_a_network(tmp_path):
    from netsurgery.training.output_scores import score_outputs

    x = RNG.normal(size=(40, 2))
    y = 1e-13 * RNG.normal(size=(40, 2)) * [1, 5] + 1e-12
    np.savez(tmp_path / "x.npz", x_train=x, y_train=y)
    given = {"source": "npz", "path": f"{tmp_path}/x.npz", "task": "regression"}
    datasets.prepare("d", complete_dataset(given), tmp_path / "data")
    split = tmp_path / "split.npz"
    datasets.write_split(tmp_path / "data", split, datasets.SplitSettings(0.2, 0.5), 0)
    test = datasets.read_part(tmp_path / "data", split, "test")
    outputs = RNG.normal(size=(len(test), 2)).astype(np.float32)
    expected = score_outputs(outputs, test.y[test.indices], test.target, loss="mse")
    for name, value in models.metrics(outputs, test).items():
        assert value == pytest.approx(expected[name], rel=1e-5), name


def test_no_file_is_no_reference(tmp_path):
    assert read_references(tmp_path) == []
