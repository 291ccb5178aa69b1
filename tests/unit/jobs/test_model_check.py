"""A final model that does not give what was recorded is an error that says where."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from netsurgery import datasets
from netsurgery.jobs import model_check
from netsurgery.jobs.exit_messages import exit_with_message
from netsurgery.jobs.model_check import DisagreementError
from netsurgery.keras_io import archive, preprocessing
from netsurgery.objectives.tasks import TASKS
from tests.support.factories import complete_dataset

ROWS = 60
RNG = np.random.default_rng(0)


def table(folder):
    rows = zip(RNG.normal(size=ROWS), RNG.choice(["u", "v"], ROWS), range(ROWS), strict=True)
    lines = [f"{number},{text},{i % 2}" for number, text, i in rows]
    (folder / "data.csv").write_text("\n".join(["size,place,y", *lines]) + "\n")
    return {"source": "csv", "path": str(folder / "data.csv"), "target": "y"}


def images(folder):
    x = RNG.integers(256, size=(ROWS, 4, 5)).astype(np.uint8)
    np.savez(folder / "data.npz", x_train=x, y_train=np.arange(ROWS) % 2)
    return {"source": "npz", "path": str(folder / "data.npz")}


def targets(folder):
    x = RNG.normal(size=(ROWS, 3))
    np.savez(folder / "data.npz", x_train=x, y_train=1e-9 * (x @ [[1, 2], [3, 4], [5, 6]]))
    return {"source": "npz", "path": str(folder / "data.npz"), "task": "regression"}


def labels(folder):
    x = RNG.normal(size=(ROWS, 3))
    np.savez(folder / "data.npz", x_train=x, y_train=(x > (0, 0.5, 1)).astype(int))
    return {"source": "npz", "path": str(folder / "data.npz"), "task": "multilabel"}


def photos(folder):
    for i in range(ROWS):
        path = folder / "photos" / f"class{i % 2}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (8, 10, 3) if i < 40 else (11 + i % 3, 9, 3)
        Image.fromarray(RNG.integers(256, size=size).astype(np.uint8)).save(path)
    return {"source": "image_folder", "path": str(folder / "photos")}


class Finished:
    """What a search leaves for the check."""

    def __init__(self, folder, settings):
        datasets.prepare("d", complete_dataset(settings), folder / "prepared")
        split = folder / "split.npz"
        datasets.write_split(folder / "prepared", split, datasets.SplitSettings(0.2, 0.2), 0)
        self.file = folder / "model.keras"
        self.samples = datasets.read_part(folder / "prepared", split, "test")
        self.data = datasets.describe(folder / "prepared")
        shape = self.samples.x.shape[1:]
        flat = [keras.layers.Flatten(name="flatten_0")] if len(shape) > 1 else []
        activation = TASKS[self.data["task"]].output_activation("linear")
        last = keras.layers.Dense(self.data["outputs"], activation, name="dense_1")
        self.network = keras.Sequential([keras.Input(shape), *flat, last])

    def compare(self, samples=None, **changes):
        samples = samples or self.samples
        data = self.data | changes
        model = preprocessing.with_preprocessing(
            self.network, data, samples.scaling, samples.target
        )
        archive.save(model, self.file)
        model = archive.load(self.file, compiled=False)
        raw = model_check.read_raw(self.samples, self.data)
        return model_check.compare(model, self.network, raw, self.samples, self.data)

    @property
    def found(self):
        outputs = self.network(self.samples.inputs(np.arange(len(self.samples))))
        logits = model_check.gives_logits(self.network, self.samples)
        return model_check.in_units(np.asarray(outputs), self.samples, logits=logits)


@pytest.fixture(params=[table, images, targets, labels, photos], ids=lambda make: make.__name__)
def finished(request, tmp_path):
    return Finished(tmp_path, request.param(tmp_path))


def test_a_final_model_agrees_with_its_network(finished):
    agreement = finished.compare()
    assert agreement.samples == 12
    assert agreement.largest_difference < (0.05 if finished.data["resized"] else 1e-5)


def with_scaling(samples, **changes):
    return replace(samples, scaling=replace(samples.scaling, **changes))


def test_another_scaling_is_named_with_its_column(tmp_path):
    finished = Finished(tmp_path, table(tmp_path))
    changed = with_scaling(finished.samples, scale=finished.samples.scaling.scale * [1.1, 1, 1])
    line = r"data.csv: model.keras scales or encodes column 'size' differently.* in samples \d+, "
    with pytest.raises(DisagreementError, match=line):
        finished.compare(changed)


def test_a_level_of_another_name_is_named_with_its_column(tmp_path):
    finished = Finished(tmp_path, table(tmp_path))
    size, place = finished.data["columns"]
    features = [f | {"level": f["level"] and f["level"].upper()} for f in finished.data["features"]]
    shouted = [size, place | {"levels": ["U", "V"]}]
    with pytest.raises(DisagreementError, match="encodes column 'place' differently"):
        finished.compare(columns=shouted, features=features)


def test_another_brightness_of_images_is_an_error(tmp_path):
    finished = Finished(tmp_path, images(tmp_path))
    darker = with_scaling(finished.samples, scale=finished.samples.scaling.scale / 2)
    with pytest.raises(DisagreementError, match=r"values \(0, 0, 0\), .* and 17 more differently"):
        finished.compare(darker)


def test_another_brightness_of_photos_is_an_error(tmp_path):
    finished = Finished(tmp_path, photos(tmp_path))
    darker = with_scaling(finished.samples, scale=finished.samples.scaling.scale * 0.95)
    with pytest.raises(DisagreementError, match=r"scales or encodes values \(.*differently"):
        finished.compare(darker)


def test_another_unit_of_the_target_is_an_error(tmp_path):
    finished = Finished(tmp_path, targets(tmp_path))
    target = replace(finished.samples.target, units=None)
    with pytest.raises(DisagreementError, match="does not give what its network gives"):
        finished.compare(replace(finished.samples, target=target))


def test_a_file_that_changed_is_an_error(tmp_path):
    settings = table(tmp_path)
    finished = Finished(tmp_path, settings)
    text = (tmp_path / "data.csv").read_text()
    (tmp_path / "data.csv").write_text(text.replace("size", "height"))
    with pytest.raises(DisagreementError, match=r"cannot be read as the model card says.*size"):
        finished.compare()
    (tmp_path / "data.csv").write_text("\n".join(sorted(text.splitlines(), reverse=True)))
    with pytest.raises(DisagreementError, match="columns 'size', 'place' differently"):
        finished.compare()


def test_recorded_metrics_must_be_those_of_the_network(finished, tmp_path):
    found, samples = finished.found, finished.samples
    y = samples.y[samples.indices]
    if samples.target is not None:
        error = found - samples.target.restore(y)
        metrics = {"rmse": float(np.sqrt(np.mean(error**2, axis=0)).mean())}
        other = {"rmse": metrics["rmse"] * 1.1}
    else:
        several = samples.task == "multilabel"
        right = (found >= 0.5) == y if several else found.argmax(axis=1) == y
        name = "label_accuracy" if several else "accuracy"
        metrics = {name: float(np.mean(right))}
        other = {name: metrics[name] - 0.2}
    model_check.check_recorded(found, samples, metrics, tmp_path)
    with pytest.raises(
        DisagreementError, match=r"network.keras: gives a test (label_accuracy|accuracy|rmse) of"
    ):
        model_check.check_recorded(found, samples, other, tmp_path)


def test_a_disagreement_ends_the_job_with_its_line():
    with pytest.raises(SystemExit, match=r"^table\.csv: differs$"), exit_with_message():
        raise DisagreementError("table.csv: differs")


def test_a_large_test_part_is_compared_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(model_check, "MAX_SAMPLES", 5)
    monkeypatch.setattr(model_check, "MAX_READ", 30)
    finished = Finished(tmp_path, table(tmp_path))
    raw = model_check.read_raw(finished.samples, finished.data)
    assert len(raw.positions) == 5
    indices = finished.samples.indices[raw.positions]
    assert indices.max() < indices.min() + 30
    assert finished.compare().samples == 5
