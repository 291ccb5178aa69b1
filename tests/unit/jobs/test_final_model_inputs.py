"""A final model with several inputs gives what its network gives, wherever it is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from netsurgery import datasets
from netsurgery.jobs import export, model_check
from netsurgery.jobs.model_check import DisagreementError
from netsurgery.keras_io import archive
from netsurgery.report.usage import usage_snippet
from netsurgery.tracking import models
from tests.support.final_models import FinalSearch

ROWS, TEST = 40, 8


class Search(FinalSearch):
    """A final model of rows with photos, and the test samples as a user has them."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.folder = folder
        pixels = rng.integers(256, size=(ROWS, 4, 5, 3)).astype(np.uint8)
        (folder / "photos").mkdir()
        for i, image in enumerate(pixels):
            Image.fromarray(image).save(folder / "photos" / f"{i}.png")
        table = pd.DataFrame(
            {
                "photo": [f"{i}.png" for i in range(ROWS)],
                "age": rng.normal(50, 9, ROWS),
                "sex": rng.choice(["f", "m"], ROWS),
                "ill": np.arange(ROWS) % 2,
            }
        )
        table.loc[::7, "age"] = None
        table.to_csv(folder / "rows.csv", index=False)
        paths = {"path": f"{folder}/rows.csv", "images": f"{folder}/photos"}
        super().__init__(folder, {"source": "csv", "target": "ill", **paths})
        chosen = self.samples.indices
        self.table, self.images = table.iloc[chosen], pixels[chosen]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    return Search(tmp_path_factory.mktemp("search"))


def compare(search: Search, **changed: Any) -> model_check.Agreement:
    samples = replace(search.samples, **changed)
    raw = model_check.read_raw(search.samples, search.data)
    model = archive.load(search.model, compiled=False)
    return model_check.compare(model, search.network, raw, samples, search.data)


def test_it_agrees_with_its_network(search: Search) -> None:
    agreement = compare(search)
    assert agreement.samples == TEST
    assert agreement.largest_difference < 1e-5
    found = export.outputs(search.network, search.samples)
    np.testing.assert_allclose(found, search.outputs, atol=1e-6)


@pytest.mark.parametrize("name", ["features", "image"])
def test_another_scaling_is_named_with_its_input(search: Search, name: str) -> None:
    scaling, part = search.samples.scaling, search.samples.parts[name == "image"]
    scale = scaling.scale.copy()
    scale[part.start : part.stop] *= 1.1
    with pytest.raises(DisagreementError, match=f"encodes input {name} differently"):
        compare(search, scaling=replace(scaling, scale=scale))


def test_lines_of_the_card_predict_what_was_tested(search: Search) -> None:
    code = usage_snippet(search.data).replace('"model.keras"', repr(str(search.model)))
    names: dict[str, Any] = {
        "table": search.table[::-1].assign(more=1),
        "image": search.images[::-1],
    }
    exec(code, names)
    np.testing.assert_allclose(names["outputs"], search.outputs[::-1], atol=1e-5)


def test_the_logged_model_takes_inputs_by_name(search: Search) -> None:
    folder = search.folder / "logged"
    models.save(search.model, search.folder / "prepared", folder, run_id="r")
    served = mlflow.pyfunc.load_model(str(folder))
    columns = {name: search.table[name].to_numpy() for name in ("age", "sex")}
    found = served.predict({**columns, "image": search.images})
    np.testing.assert_allclose(found, search.outputs, atol=1e-5)
    with pytest.raises(ValueError, match="the inputs lack image"):
        served.predict(columns)


def test_errors_show_the_images(search: Search) -> None:
    found = export.analyse_errors(1 - search.outputs, search.samples, search.data)
    assert found["mistakes"]
    assert all(mistake["png"] for mistake in found["mistakes"])
    assert datasets.parts_of(search.data) == search.samples.parts
