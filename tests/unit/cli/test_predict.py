"""`netsurgery predict` and `evaluate`: a user's file gives what was tested."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from netsurgery.storage.files import read_json, write_json
from tests.support.final_models import FinalSearch

TRAINING, TEST = 30, 12
ROWS = TRAINING + TEST
RNG = np.random.default_rng(0)
KINDS = ("red", "green", "blue")


def frame():
    """A table with numbers, texts, codes, truth values, a key, and missing values."""
    codes = RNG.choice([7, 10, 100], ROWS)
    table = pd.DataFrame(
        {
            "id": [f"n{i}" for i in range(ROWS)],
            "size": RNG.normal(100, 9, ROWS).round(3),
            "town": RNG.choice(["Bonn", "Köln", "New York"], ROWS),
            "code": codes,
            "open": RNG.choice([True, False], ROWS),
            "price": RNG.normal(3e-13, 1e-13, ROWS),
            "kind": [KINDS[i % 3] for i in range(ROWS)],
        }
    )
    table.loc[3::7, "town"] = None
    table.loc[4::5, "size"] = None
    return table


def split_table(folder, suffix, write, **settings):
    """A table in two files; the test file has other columns, in another order."""
    table = frame()
    write(table[:TRAINING], folder / f"training{suffix}")
    write(table[TRAINING:][table.columns[::-1]].assign(more="?"), folder / f"test{suffix}")
    paths = {"path": f"{folder}/training{suffix}", "test_path": f"{folder}/test{suffix}"}
    return {"drop": ["id"], "categorical": ["code"]} | paths | settings


def csv(folder):
    return split_table(
        folder, ".csv", lambda t, p: t.to_csv(p, index=False), source="csv", target="kind"
    )


def semicolons(folder):
    def write(table, path):
        table.to_csv(path, index=False, sep=";", decimal=",", na_rep="?", encoding="cp1252")

    given = {"delimiter": ";", "decimal": ",", "encoding": "cp1252", "task": "regression"}
    return split_table(folder, ".txt", write, source="csv", target="price", **given)


def labels(folder):
    def write(table, path):
        yes = table["kind"] == "red"
        table.assign(red=np.where(yes, "Yes", "no"), cheap=table["price"] < 3e-13).to_csv(path)

    given = {"target": ["red", "open", "cheap"], "task": "multilabel"}
    return split_table(folder, ".csv", write, source="csv", **given)


def tags(folder):
    def write(table, path):
        table.assign(tags=table["kind"] + np.where(table["open"], "|open", "")).to_parquet(path)

    given = {"target": "tags", "task": "multilabel", "label_separator": "|"}
    return split_table(folder, ".parquet", write, source="parquet", **given)


def several_targets(folder):
    given = {"source": "csv", "target": ["price", "code"], "task": "regression", "categorical": []}
    return split_table(folder, ".csv", lambda t, p: t.to_csv(p, index=False), **given)


def no_header(folder):
    table = frame()[["size", "town", "kind"]]
    for name, part in (("training", table[:TRAINING]), ("test", table[TRAINING:])):
        part.to_csv(folder / f"{name}.csv", index=False, header=False)
    paths = {"path": f"{folder}/training.csv", "test_path": f"{folder}/test.csv"}
    return {"source": "csv", "header": False, "target": 2} | paths


def parquet(folder):
    return split_table(
        folder, ".parquet", lambda t, p: t.to_parquet(p), source="parquet", target="kind"
    )


def npz(folder):
    x = RNG.integers(256, size=(ROWS, 4, 5, 3)).astype(np.uint8)
    y = np.array(KINDS)[np.arange(ROWS) % 3]
    split = {"x_train": x[:TRAINING], "y_train": y[:TRAINING]}
    np.savez(folder / "data.npz", **split, x_test=x[TRAINING:], y_test=y[TRAINING:])
    shutil.copy(folder / "data.npz", folder / "test.npz")
    return {"source": "npz", "path": f"{folder}/data.npz"}


def npy(folder):
    x = np.asfortranarray(RNG.normal(1e-13, 1e-13, size=(ROWS, 4)))
    y = np.asfortranarray(1e24 * (x @ RNG.normal(size=(4, 2))))
    (folder / "test").mkdir()
    for suffix, rows in (("train", slice(TRAINING)), ("test", slice(TRAINING, None))):
        for name, array in (("x", x), ("y", y)):
            np.save(folder / "test" / f"{name}_{suffix}.npy", array[rows])
    return {"source": "npy", "path": f"{folder}/test", "task": "regression"}


def series(folder):
    x = RNG.normal(size=(ROWS, 20, 1)).astype(">f4")
    y = np.arange(ROWS) % 2
    split = {"x_train": x[:TRAINING], "y_train": y[:TRAINING]}
    np.savez(folder / "data.npz", **split, x_test=x[TRAINING:], y_test=y[TRAINING:])
    np.savez(folder / "test.npz", x=x[TRAINING:, :, 0], y=y[TRAINING:])
    return {"source": "series", "path": f"{folder}/data.npz"}


def photos(folder):
    for i in range(ROWS):
        path = folder / ("training" if i < TRAINING else "test") / str(3 + i % 2) / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (8, 10, 3) if i % 5 else (11, 9, 3)
        Image.fromarray(RNG.integers(256, size=size).astype(np.uint8)).save(path)
    (folder / "test" / "3" / ".DS_Store").touch()
    return {
        "source": "image_folder",
        "path": f"{folder}/training",
        "test_path": f"{folder}/test",
    }


def rows_with_files(folder):
    """A table whose rows have a photograph and a walk."""

    def write(table, path):
        for name in ("photos", "walks"):
            (folder / name).mkdir(exist_ok=True)
        for i, name in enumerate(table["id"]):
            size = (4, 5, 3) if i % 5 else (6, 5, 3)
            pixels = RNG.integers(256, size=size).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / f"{name}.png")
            np.save(folder / "walks" / f"{name}.npy", RNG.normal(size=(9 + i % 4, 2)))
        table.to_csv(path, index=False)

    given = split_table(folder, ".csv", write, source="csv", target="kind")
    given = {key: value for key, value in given.items() if key != "drop"}
    (folder / "test").mkdir()
    for i in range(TRAINING, ROWS):  # beside the table, the others in a folder beside it
        shutil.copy(folder / "photos" / f"n{i}.png", folder / "test")
    shutil.copytree(folder / "walks", folder / "test" / "walks")
    shutil.move(folder / "test.csv", folder / "test" / "rows.csv")
    given["test_path"] = f"{folder}/test/rows.csv"
    return given | {"images": f"{folder}/photos", "series": f"{folder}/walks"}


def arrays_by_name(folder):
    x = {
        "ecg": RNG.normal(size=(ROWS, 30, 2)),
        "scan": RNG.integers(256, size=(ROWS, 4, 5, 1)).astype(np.uint8),
        "blood": RNG.normal(1e12, 3, (ROWS, 3)),
    }
    y = np.array(KINDS)[np.arange(ROWS) % 3]
    training = {f"x_{name}_train": values[:TRAINING] for name, values in x.items()}
    test = {f"x_{name}_test": values[TRAINING:] for name, values in x.items()}
    labels = {"y_train": y[:TRAINING], "y_test": y[TRAINING:]}
    np.savez(folder / "data.npz", **training, **test, **labels)
    shutil.copy(folder / "data.npz", folder / "test.npz")
    return {"source": "series", "path": f"{folder}/data.npz"}


SOURCES = {
    "csv": (csv, "test.csv", ("f1_score", "balanced_accuracy"), "softmax"),
    "semicolons": (semicolons, "test.txt", ("mean_absolute_percentage_error",), None),
    "labels": (labels, "test.csv", ("precision",), None),
    "labels in a text": (tags, "test.parquet", (), None),
    "several targets": (several_targets, "test.csv", (), None),
    "no header": (no_header, "test.csv", (), None),
    "parquet": (parquet, "test.parquet", (), None),
    "npz": (npz, "test.npz", ("auc",), None),
    "npy": (npy, "test", (), None),
    "series": (series, "test.npz", (), "softmax"),
    "photos": (photos, "test", (), "softmax"),
    "rows with files": (rows_with_files, "test/rows.csv", (), "softmax"),
    "arrays by name": (arrays_by_name, "test.npz", (), None),
}


@pytest.fixture(scope="module", params=SOURCES)
def searched(request, tmp_path_factory):
    """A final model, and a file that holds its test samples."""
    make, file, metrics, activation = SOURCES[request.param]
    folder = tmp_path_factory.mktemp("data")
    search = FinalSearch(folder, make(folder), metrics, activation)
    # whoever has the model need not have the training data
    moved = tmp_path_factory.mktemp("moved")
    shutil.copytree(folder / "final", moved / "final")
    top, *_ = file.split("/")
    shutil.move(folder / top, moved / top)
    shutil.rmtree(folder)
    return search, moved / "final", moved / file


def test_a_file_with_the_test_samples_gives_the_test_metrics(searched, tmp_path, output_of):
    search, model, file = searched
    output_of("evaluate", model, file, "-o", tmp_path / "scores.json")
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["samples"] == TEST
    for name, value in search.scores.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name


def test_a_file_with_the_test_samples_gives_their_predictions(searched, tmp_path, output_of):
    search, model, file = searched
    output_of("predict", model, file, "-o", tmp_path / "out.csv")
    classes = search.data["classes"]
    table = pd.read_csv(tmp_path / "out.csv", dtype={"prediction": str} if classes else None)
    assert len(table) == TEST
    values = table[[c for c in table if c.startswith(("prediction", "probability"))]]
    samples = search.samples
    if search.data["task"] == "multilabel":
        for name, found in zip(search.data["labels"], search.outputs.T, strict=True):
            yes = np.where(found >= 0.5, "yes", "no")
            assert table[f"prediction_{name}"].tolist() == yes.tolist()
            np.testing.assert_allclose(table[f"probability_{name}"], found, rtol=1e-4)
    elif samples.target is None:
        expected = np.array(classes)[search.outputs.argmax(axis=1)]
        assert values.pop("prediction").tolist() == expected.tolist()
        np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)
    else:
        target = samples.target
        expected = target.restore(search.outputs / target.scale + target.shift)
        np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.fixture(scope="module")
def table_search(tmp_path_factory):
    """A final model of a table, and the table."""
    folder = tmp_path_factory.mktemp("table")
    return FinalSearch(folder, csv(folder)), pd.read_csv(folder / "training.csv")


def test_a_table_without_target_is_predicted_with_its_keys(table_search, tmp_path, netsurgery):
    search, table = table_search
    table.drop(columns="kind").assign(note="same").to_csv(tmp_path / "new.csv", index=False)
    printed = netsurgery("predict", search.model, tmp_path / "new.csv")
    lines = [line.split(",") for line in printed.splitlines()]
    names = ["prediction", *(f"probability_{kind}" for kind in sorted(KINDS))]
    assert lines[0] == ["row", "id", *names]
    assert [line[:2] for line in lines[1:3]] == [["1", "n0"], ["2", "n1"]]
    assert len(lines) == TRAINING + 1


def test_levels_that_training_did_not_have_are_said(table_search, tmp_path, output_of):
    search, table = table_search
    table.assign(town="Rome").to_csv(tmp_path / "new.csv", index=False)
    found = output_of("predict", search.model, tmp_path / "new.csv", "-o", tmp_path / "out.csv")
    assert found.err.endswith(
        f"new.csv: column 'town' has {TRAINING} values that training did not have ('Rome'); they "
        f"count as unknown\n"
    )
    assert f"out.csv: {TRAINING} predictions: " in found.out


PROBLEMS = {
    "a missing column": (lambda t: t.drop(columns="size"), "predict", "has no column 'size', but"),
    "no target": (lambda t: t.drop(columns="kind"), "evaluate", "has no column 'kind'"),
    "text": (lambda t: t.assign(price="cheap"), "predict", "'price', row 1 is 'cheap', not a fin"),
    "another class": (lambda t: t.assign(kind="grey"), "evaluate", "sample 0 is 'grey', which is"),
}


@pytest.mark.parametrize(("change", "command", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_table_that_does_not_fit_is_named(
    change, command, message, table_search, tmp_path, error_of
):
    search, table = table_search
    change(table).to_csv(tmp_path / "new.csv", index=False)
    found = error_of(command, search.model, tmp_path / "new.csv")
    assert found.startswith(f"{tmp_path}/new.csv: ")
    assert message in found


def test_columns_by_order_may_lack_the_target(tmp_path, netsurgery, error_of):
    search = FinalSearch(tmp_path, no_header(tmp_path))
    table = pd.read_csv(tmp_path / "test.csv", header=None)
    table.to_csv(tmp_path / "same.csv", index=False, header=False)
    table[[0, 1]].to_csv(tmp_path / "without.csv", index=False, header=False)
    table[[0]].to_csv(tmp_path / "less.csv", index=False, header=False)
    found = [
        netsurgery("predict", search.model, tmp_path / f"{n}.csv") for n in ("same", "without")
    ]
    assert found[0] == found[1]
    message = error_of("predict", search.model, tmp_path / "less.csv")
    assert message.endswith("less.csv: has 1 columns, but the training file has 3")


def test_images_in_any_folder_are_predicted(tmp_path, netsurgery, error_of):
    search = FinalSearch(tmp_path, photos(tmp_path))
    flat = tmp_path / "flat" / "deeper"
    flat.mkdir(parents=True)
    shutil.copy(tmp_path / "test" / "3" / "30.png", flat / "new.png")
    printed = netsurgery("predict", search.model, tmp_path / "flat").splitlines()
    assert [line.split(",")[0] for line in printed] == ["file", "deeper/new.png"]
    assert "deeper: not a class of the model" in error_of(
        "evaluate", search.model, tmp_path / "flat"
    )
    (flat / "a.png").write_text("no image")
    (flat / "b.png").write_bytes(b"")
    message = error_of("predict", search.model, tmp_path / "flat")
    assert "2 of 3 images cannot be used; deeper/a.png: cannot be" in message


def test_a_table_of_labels_evaluates_the_images_beside_it(tmp_path, output_of, error_of):
    lines = ["file,round,red"]
    for i in range(ROWS):
        (tmp_path / "images").mkdir(exist_ok=True)
        pixels = RNG.integers(256, size=(8, 10, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i:02}.png")
        lines.append(f"{i:02},{i % 2},{i % 3 // 2}")
    (tmp_path / "images" / "labels.csv").write_text("\n".join(lines))
    given = {"path": f"{tmp_path}/images", "labels": f"{tmp_path}/images/labels.csv"}
    search = FinalSearch(tmp_path, {"source": "image_folder", "task": "multilabel"} | given)
    tested = [lines[0], *(lines[1 + i] for i in search.samples.indices)]
    (tmp_path / "images" / "tested.csv").write_text("\n".join(tested))
    output_of("evaluate", search.model, tmp_path / "images/tested.csv", "-o", tmp_path / "s.json")
    found = json.loads((tmp_path / "s.json").read_text())
    assert found["samples"] == len(search.samples)
    assert {n: found[n] for n in search.scores} == pytest.approx(search.scores, rel=1e-4)
    assert "name the table with the labels" in error_of(
        "evaluate", search.model, tmp_path / "images"
    )


def test_arrays_of_another_shape_are_named(tmp_path, error_of):
    search = FinalSearch(tmp_path, npz(tmp_path))
    np.save(tmp_path / "new.npy", np.zeros((2, 5, 4, 3)))
    message = error_of("predict", search.model, tmp_path / "new.npy")
    assert message.endswith("new has shape (2, 5, 4, 3); the model takes (samples, 4, 5, 3)")
    np.savez(tmp_path / "new.npz", images=np.zeros(3))
    message = error_of("predict", search.model, tmp_path / "new.npz")
    assert "has no array of samples to predict, named x or x_test (found images)" in message


def test_a_model_without_its_description_is_named(table_search, tmp_path, error_of):
    search, table = table_search
    table.to_csv(tmp_path / "new.csv", index=False)
    shutil.copy(search.model, tmp_path / "model.keras")
    message = error_of("predict", tmp_path / "model.keras", tmp_path / "new.csv")
    assert "has no preprocessing.json beside it" in message
    described = read_json(search.model.with_name("preprocessing.json"))
    changed = described | {"columns": described["columns"][1:]}
    write_json(tmp_path / "model.preprocessing.json", changed)
    message = error_of("predict", tmp_path / "model.keras", tmp_path / "new.csv")
    assert message.endswith("model.keras: does not belong to the description beside it")


@pytest.mark.parametrize("folder", ["results/s/seed1/final", "results/s/seed1", "results"])
def test_the_folder_of_a_search_names_its_model(folder, table_search, tmp_path, netsurgery):
    search, table = table_search
    final = tmp_path / "results" / "s" / "seed1" / "final"
    shutil.copytree(search.model.parent, final)
    write_json(final / "summary.json", {"seed": 1})
    table.to_csv(tmp_path / "new.csv", index=False)
    assert "probability_red" in netsurgery("predict", tmp_path / folder, tmp_path / "new.csv")


def test_of_several_searches_one_has_to_be_named(table_search, tmp_path, error_of):
    search, _ = table_search
    for seed in (1, 2):
        final = tmp_path / "s" / f"seed{seed}" / "final"
        shutil.copytree(search.model.parent, final)
        write_json(final / "summary.json", {"seed": seed})
    message = error_of("predict", tmp_path, tmp_path / "s")
    assert f"has 2 finished searches; name one model ({tmp_path}/s/seed1/final/" in message
