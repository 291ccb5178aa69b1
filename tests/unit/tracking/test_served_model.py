"""MLflow's pyfunc and REST take what `final/model.keras` takes."""

import json
import re

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server import infer_and_parse_data

from netsurgery import datasets
from netsurgery.keras_io import archive, preprocessing
from netsurgery.tracking import models
from tests.support.factories import complete_dataset
from tests.support.mlflow_store import by_name
from tests.support.tracked_search import example
from tests.unit.report.test_usage import TABLES, trained

SHAPE = (4, 5, 1)
RNG = np.random.default_rng(0)


def saved(folder, data):
    """The Keras model in a folder with a prepared dataset, as MLflow loads it."""
    models.save(folder / "model.keras", folder / "prepared", folder / "logged", run_id="r")
    assert not mlflow.models.Model.load(str(folder / "logged")).signature.inputs
    return mlflow.pyfunc.load_model(str(folder / "logged"))


def by_rest(model, body):
    """Predictions for the body of a request."""
    parsed = infer_and_parse_data(json.loads(json.dumps(body)), model.metadata.get_input_schema())
    return np.asarray(model.predict(parsed))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A Keras model of images, and the same as MLflow loads it."""
    folder = tmp_path_factory.mktemp("images")
    x = RNG.integers(256, size=(20, *SHAPE)).astype(np.uint8)
    np.savez(folder / "data.npz", x_train=x, y_train=np.arange(20) % 2)
    given = {"source": "npz", "path": str(folder / "data.npz")}
    datasets.prepare("d", complete_dataset(given), folder / "prepared")
    datasets.write_split(
        folder / "prepared", folder / "split.npz", datasets.SplitSettings(0.2, 0.2), 0
    )
    part = datasets.read_part(folder / "prepared", folder / "split.npz", "training")
    layers = [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2)]
    data = datasets.describe(folder / "prepared")
    inner = keras.Sequential(layers)
    model = preprocessing.with_preprocessing(inner, data, part.scaling, part.target)
    archive.save(model, folder / "model.keras")
    return model, saved(folder, data)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
def test_images_of_any_type_are_predicted_as_by_keras(images, dtype):
    model, served = images
    x = (RNG.uniform(0, 255, size=(3, *SHAPE))).astype(dtype)
    np.testing.assert_allclose(served.predict(x), model.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("key", ["inputs", "instances"])
def test_requests_keep_fractions(images, key):
    model, served = images
    x = np.full((2, *SHAPE), 3.5)
    x[0, 0] = 200
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(by_rest(served, {key: x.tolist()}), expected, rtol=1e-6)
    assert abs(expected - model.predict(x.astype(np.uint8), verbose=0)).max() > 1e-4


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 4, 5)), "the inputs have the shape (2, 4, 5), not (samples, 4, 5, 1)"),
        (np.zeros((2, 5, 4, 1)), "the inputs have the shape (2, 5, 4, 1), not (samples, 4, 5, 1)"),
        (np.full((1, *SHAPE), "a"), "the inputs are no array of numbers"),
    ],
)
def test_wrong_images_are_one_line(images, x, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        images[1].predict(x)


NAMES = (
    "missing numbers",
    "question marks",
    "a number for missing",
    "missing text",
    "missing booleans",
    "missing codes",
    "seconds and text",
    "slashes",
    "spaces",
    "numbers",
)


@pytest.fixture(scope="module", params=NAMES)
def table(request, tmp_path_factory):
    """A table as pandas reads it, the model as MLflow loads it, and what its network predicts."""
    folder, made = tmp_path_factory.mktemp("table"), TABLES[request.param]
    data, expected = trained(made, folder)
    return pd.read_csv(folder / "table.csv", **made.read), saved(folder, data), expected


def test_tables_are_predicted_as_by_keras(table):
    frame, served, expected = table
    variants = {
        "as read": frame,
        "other order": frame[frame.columns[::-1]],
        "without target": frame.iloc[:, :-1],
        "nullable types": frame.convert_dtypes(),
        "objects": frame.astype(object).where(frame.notna(), None),
        "arrays": {name: frame[name].to_numpy()[:, None] for name in frame},
    }
    for name, variant in variants.items():
        found = np.asarray(served.predict(variant))
        np.testing.assert_allclose(found, expected, atol=2e-5, err_msg=name)
    found = served.predict(frame.set_axis(frame.index + 7))
    assert list(found.index) == list(frame.index + 7)


@pytest.mark.parametrize("key", ["dataframe_split", "dataframe_records", "inputs", "instances"])
def test_requests_hold_tables(table, key):
    frame, served, expected = table
    plain = frame.astype(object).where(frame.notna(), None)
    body = {
        "dataframe_split": lambda: plain.to_dict("split"),
        "dataframe_records": lambda: plain.to_dict("records"),
        "inputs": lambda: plain.to_dict("list"),
        "instances": lambda: plain.to_dict("records"),
    }[key]()
    np.testing.assert_allclose(by_rest(served, {key: body}), expected, atol=2e-5)


def test_a_table_without_a_column_is_one_line(table):
    frame, served, _ = table
    first = str(frame.columns[0]).strip()
    with pytest.raises(ValueError, match=f"^the inputs lack the columns {first}$"):
        served.predict(frame.drop(columns=frame.columns[0]))


def test_the_example_of_a_table_can_be_predicted(table):
    served = table[1]
    assert len(served.predict(served.input_example)) == models.EXAMPLES


def test_the_model_of_a_run_is_loaded_by_its_documented_address(results, tmp_path, monkeypatch):
    """Also after the results folder was moved."""
    search = example(results)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    archive.save(model, search.folder.final / "model.keras")
    search.track("final")
    moved = search.results.rename(tmp_path / "moved")
    search.folder = type(search.folder)(moved / "s" / "seed0")
    search.track("final")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{moved}/mlflow.db")
    uri = f"runs:/{by_name(moved)['s/seed0'].info.run_id}/model"
    x = np.ones((2, 8, 8, 1))
    expected = model.predict(x, verbose=0)
    for load in (mlflow.pyfunc.load_model, mlflow.keras.load_model):
        np.testing.assert_allclose(load(uri).predict(x), expected, rtol=1e-5)
