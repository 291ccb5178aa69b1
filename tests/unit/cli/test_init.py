"""`netsurgery init`: the configuration that it writes reads the data and can be searched."""

import itertools

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from netsurgery import datasets
from netsurgery.config.files import SCHEMA
from netsurgery.config.loading import load

N = 120
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, N)
NAMES = np.array(["ash", "oak", "yew"])[Y]
FRAME = pd.DataFrame(
    {
        "size": (Y + RNG.normal(0, 1, N)).round(3),
        "soil": np.array(["clay", "sand"])[RNG.integers(0, 2, N)],
        "age": RNG.integers(1, 90, N),
    }
)


def table(sep=",", decimal=".", frame=FRAME, above="", encoding="utf-8", **more):
    text = frame.assign(**more).to_csv(sep=sep, decimal=decimal, index=False)
    return (above + text).encode(encoding)


# the file, what its configuration must say of the dataset, and the shape of a sample
TEXTS = {
    "plain": (table(species=NAMES), {"target": "species", "task": "classification"}, (4,)),
    "German": (
        table(";", ",", Höhe=NAMES, encoding="cp1252"),
        {"delimiter": ";", "decimal": ",", "encoding": "cp1252", "target": "Höhe"},
        (4,),
    ),
    "title above": (table(y=NAMES, above="Trees of 2020\n\n"), {"skip_rows": 2}, (4,)),
    "comment above": (table(y=NAMES, above="# by hand\n"), {"comment": "#"}, (4,)),
    "numbers": (table(price=RNG.normal(size=N)), {"target": "price", "task": "regression"}, (4,)),
    "prices": (
        table(price=[f"{n:,}" for n in RNG.integers(1_000, 90_000, N)]),
        {"target": "price", "task": "regression", "thousands": ","},
        (4,),
    ),
    "years": (table(year=1900 + RNG.integers(0, 99, N)), {"task": "regression"}, (4,)),
    "grades": (table(grade=Y), {"target": "grade", "task": "classification"}, (4,)),
    "without header": (
        table(y=NAMES).split(b"\n", 1)[1],
        {"header": False, "target": 3, "task": "classification"},
        (4,),
    ),
    "counts above": (
        b"120,3,ash\n" + table(y=NAMES).split(b"\n", 1)[1],
        {"skip_rows": 1, "header": False, "target": 3},
        (4,),
    ),
    "class first": (
        pd.concat([pd.Series(Y + 1), FRAME[["size", "age", "size"]]], axis=1)
        .to_csv(index=False, header=False)
        .encode(),
        {"header": False, "target": 0},
        (3,),
    ),
    "identifiers, constants, copies": (
        table(row=range(N), site="Jena", copy=Y * 3, species=NAMES),
        {"drop": ["row", "site", "copy"]},
        (4,),
    ),
    "text that is no class": (
        table(size_again=FRAME["size"] + 1.5, town=[f"town {i % 40}" for i in range(N)]),
        {"target": "size_again", "drop": ["size"]},
        (43,),
    ),
    "ARFF": (
        b"% trees\n@RELATION trees\n\n@attribute size numeric\n@attribute 'the soil' {clay, sand}\n"
        b"@attribute age integer\n@attribute class{ash,oak,yew}\n@DATA\n% rows\n"
        + table(species=NAMES).split(b"\n", 1)[1],
        {"columns": ["size", "the soil", "age", "class"], "target": "class", "comment": "%"},
        (4,),
    ),
    "several numbers": (
        table(target_1=RNG.normal(size=N), target_2=RNG.normal(size=N)),
        {"target": ["target_1", "target_2"], "task": "regression"},
        (4,),
    ),
    "numbers of one name": (
        table(dose_a=RNG.normal(size=N), dose_b=RNG.normal(size=N)),
        {"target": ["dose_a", "dose_b"], "task": "regression"},
        (4,),
    ),
    "several labels": (
        table(label_oak=np.where(Y == 1, "yes", "no"), label_old=Y > 1),
        {"target": ["label_oak", "label_old"], "task": "multilabel"},
        (4,),
    ),
    "labels in a text": (
        table(labels=np.array(["oak", "oak; old", "old"])[Y]),
        {"target": "labels", "task": "multilabel", "label_separator": ";"},
        (4,),
    ),
    "missing targets": (
        table(species=np.where(np.arange(N) % 9, NAMES, "")),
        {"drop_missing_target": True},
        (4,),
    ),
    "rare numbers": (table(rings=[*[1, 2, 3] * 39, 7, 8, 9]), {"task": "regression"}, (4,)),
}


@pytest.fixture
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def followed(folder, text):
    """Load a configuration that was written, and prepare its data and its split."""
    given = yaml.safe_load(text)
    (search,) = load(given, SCHEMA).searches.values()
    (dataset,) = load(given, SCHEMA).datasets.values()
    datasets.prepare("d", dataset.settings, folder / "prepared")
    fractions = {name: search.settings[name] for name in ("validation_fraction", "test_fraction")}
    split = datasets.SplitSettings(**fractions)
    datasets.write_split(folder / "prepared", folder / "split.npz", split, search.seeds[0])
    (settings,) = given["datasets"].values()
    return settings, datasets.describe(folder / "prepared"), search


@pytest.mark.parametrize("case", TEXTS)
def test_the_configuration_of_a_table_reads_it(case, netsurgery, inside):
    content, expected, shape = TEXTS[case]
    (inside / "trees.csv").write_bytes(content)
    assert netsurgery("init", "trees.csv").endswith("netsurgery check config.yaml\n")
    settings, data, _ = followed(inside, (inside / "config.yaml").read_text())
    assert {key: settings.get(key) for key in expected} == expected
    assert tuple(data["shape"]) == shape


def test_every_setting_has_a_reason(netsurgery, inside):
    (inside / "t.csv").write_bytes(TEXTS["identifiers, constants, copies"][0])
    netsurgery("init", "t.csv", "-o", "own.yaml")
    lines = (inside / "own.yaml").read_text().splitlines()
    for above, line in itertools.pairwise(lines):
        if line.startswith("    ") and not line.strip().startswith(("#", "path:", "dataset:")):
            assert "#" in line or above.strip().startswith("#"), line
    text = " ".join(" ".join(lines).split())
    assert "row: counts the rows" in text
    assert "copy: gives the target away" in text


def test_the_target_may_be_named(netsurgery, error_of, inside):
    (inside / "t.csv").write_bytes(table(species=NAMES))
    netsurgery("init", "t.csv", "--target", "age")
    settings, *_ = followed(inside, (inside / "config.yaml").read_text())
    assert (settings["target"], settings["task"]) == ("age", "regression")
    netsurgery("init", "t.csv", "--target", "age", "--target", "size", "-o", "two.yaml")
    settings, *_ = followed(inside, (inside / "two.yaml").read_text())
    assert (settings["target"], settings["task"]) == (["age", "size"], "regression")
    message = error_of("init", "t.csv", "--target", "age", "--target", "soil", "-o", "x.yaml")
    assert "targets 'age', 'soil' do not go together: 'soil' is text" in message
    assert "exists already" in error_of("init", "t.csv")
    message = error_of("init", "t.csv", "--target", "agee", "-o", "x.yaml")
    assert "has no column 'agee' (see `--target`); did you mean 'age'?" in message
    assert not (inside / "x.yaml").exists()


@pytest.mark.parametrize(("target", "left_out"), [("Y1", ["Y2"]), ("Y2", ["Y1"]), ("age", None)])
def test_what_looks_like_another_target_is_no_input(target, left_out, netsurgery, inside):
    given = {"Y1": RNG.normal(size=N), "Y2": RNG.normal(size=N)}
    (inside / "t.csv").write_bytes(table(**given))
    netsurgery("init", "t.csv", "--target", target)
    text = (inside / "config.yaml").read_text()
    settings, *_ = followed(inside, text)
    assert settings.get("drop") == left_out
    assert ("looks like another target" in text) == bool(left_out)


def image(folder, name, shape=(9, 8)):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 255, shape).astype("u1")).save(folder / f"{name}.png")


def test_other_data_are_recognized(netsurgery, inside):
    np.savez(inside / "a.npz", x_train=RNG.normal(size=(N, 5)), y_train=RNG.normal(size=(N, 2)))
    labels = (RNG.random((N, 3)) < (0.5, 0.3, 0.2)).astype(int)
    np.savez(inside / "l.npz", x_train=RNG.normal(size=(N, 5)), y_train=labels)
    np.savez(inside / "s.npz", x_train=RNG.normal(size=(N, 64, 3)), y_train=Y)
    FRAME.assign(species=NAMES).to_parquet(inside / "p.parquet")
    for i in range(60):
        image(inside / "leaves" / "Train" / "ab"[i % 2], i)
        image(inside / "leaves" / "Test" / "ab"[i % 2], i)
    (inside / "tables").mkdir()
    (inside / "tables" / "train.csv").write_bytes(table(species=NAMES))
    (inside / "tables" / "test.csv").write_bytes(table(species=NAMES))
    series = "".join(f"{k}\t" + "\t".join(map(str, row)) + "\n" for k, row in zip(
        Y, RNG.normal(size=(N, 40)).round(2), strict=True
    ))  # fmt: skip
    for part in ("TRAIN", "TEST"):
        (inside / f"Beats_{part}.tsv").write_text(series)
    for i in range(24):
        (inside / "gait" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        FRAME[["size", "age"]].to_csv(inside / "gait" / "ab"[i % 2] / f"{i}.csv", index=False)
    ucr = {"source": "series", "test_path": "Beats_TEST.tsv"}
    expected = {
        "Beats_TRAIN.tsv": (ucr, "cnn-tiny"),
        "gait": ({"source": "series"}, "cnn-tiny"),
        "a.npz": ({"source": "npz", "task": "regression"}, "ff-small"),
        "l.npz": ({"source": "npz", "task": "multilabel"}, "ff-small"),
        "s.npz": ({"source": "series"}, "cnn-tiny"),
        "p.parquet": ({"source": "parquet", "target": "species"}, "ff-small"),
        "leaves": ({"path": "leaves/Train", "test_path": "leaves/Test"}, "cnn-tiny"),
        "tables": ({"path": "tables/train.csv", "test_path": "tables/test.csv"}, "ff-small"),
    }
    for name, (wanted, topology) in expected.items():
        netsurgery("init", name, "-o", f"{name}.yaml")
        settings, _, search = followed(inside, (inside / f"{name}.yaml").read_text())
        assert {key: settings.get(key) for key in wanted} == wanted
        assert search.settings["topology"] == topology


LABELS = pd.DataFrame({"cat": np.arange(60) % 2, "dog": np.arange(60) % 3 // 2})
AGES = LABELS.assign(age=np.arange(60) % 7, kind=np.array(["a", "b"])[np.arange(60) % 2])
OF_IMAGES = {"source": "image_folder", "path": "data/photos", "labels": "data/rows.csv"}
TABLE = {"source": "csv", "target": "kind", "task": "classification"}


@pytest.mark.parametrize(
    ("table", "names", "command", "expected"),
    [
        (AGES, "photos/{}.png", "data/rows.csv", {"images": "data/photos"} | TABLE),
        (AGES, "/home/x/data/walks/{}.csv", "data/rows.csv", {"series": "data/walks"} | TABLE),
        (LABELS, "{}.png", "data/rows.csv", OF_IMAGES | {"target": ["cat", "dog"]}),
        (LABELS, "{}", "data/photos", OF_IMAGES | {"target": ["cat", "dog"]}),
        (AGES[["kind"]], "{}.png", "data/photos", OF_IMAGES | {"target": "kind"}),
        (LABELS[["cat"]], "{}.png", "data/rows.csv", OF_IMAGES | {"target": "cat"}),
    ],
    ids=["images", "series", "labels", "a folder and labels", "a folder and classes", "a label"],
)
def test_files_that_a_table_names_are_found(table, names, command, expected, netsurgery, inside):
    for i in range(60):
        image(inside / "data" / "photos", i)
    (inside / "data" / "walks").mkdir()
    for i in range(60 if "walks" in names else 0):
        (inside / "data" / "walks" / f"{i}.csv").write_text("x,y\n" + "1,2\n" * (9 + i % 2))
    table = table.assign(file=[names.format(i) for i in range(60)])
    table[["file", *table.columns[:-1]]].to_csv(inside / "data" / "rows.csv", index=False)
    netsurgery("init", command)
    settings, data, _ = followed(inside, (inside / "config.yaml").read_text())
    assert {key: settings.get(key) for key in expected} == expected
    assert data["parts"]["training"] == 60


def long_table():
    """Walks of people, with a row per step."""
    kind = np.repeat(np.array(["run", "walk"])[np.arange(40) % 2], 25)
    return pd.DataFrame(
        {
            "row": range(1000),
            "walk": np.repeat(np.arange(40), 25),
            "patient": np.repeat([f"p{i // 4}" for i in range(40)], 25),
            "seconds": np.tile(np.arange(25) / 2, 40),
            "speed": RNG.normal(size=1000).round(3),
            "kind": kind,
            "shoes": np.array(["old", "new"])[RNG.integers(0, 2, 1000)],
        }
    )


def spectra():
    """A spectrum in each row."""
    values = pd.DataFrame(RNG.normal(size=(N, 40)).round(3), columns=range(850, 930, 2))
    return values.assign(sample=[f"s{i}" for i in range(N)], fat=RNG.normal(size=N))


@pytest.mark.parametrize(
    ("frame", "expected", "shape"),
    [
        (
            long_table(),
            {"source": "series", "id": "walk", "time": "seconds", "target": "kind"}
            | {"group": "patient", "drop": ["shoes", "row"]},
            (25, 1),
        ),
        (
            spectra(),
            {"source": "series", "target": "fat", "task": "regression", "drop": ["sample"]},
            (40, 1),
        ),
        (long_table().sample(frac=1, random_state=0), {"source": "csv"}, None),
        (spectra().rename(columns=lambda name: f"gene{name}"), {"source": "csv"}, None),
    ],
    ids=["a row per step", "a row per series", "shuffled rows", "other names"],
)
def test_series_in_tables_are_recognized(frame, expected, shape, netsurgery, inside):
    frame.to_csv(inside / "t.csv", index=False)
    netsurgery("init", "t.csv")
    settings, data, _ = followed(inside, (inside / "config.yaml").read_text())
    assert {key: settings.get(key) for key in expected} == expected
    assert shape is None or tuple(data["shape"]) == shape


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.csv", "absent.csv: does not exist"),
        ("empty", "empty: no data are recognized in it (found nothing)"),
        ("page.csv", "page.csv: is a web page"),
        ("ids.csv", "ids.csv: no column seems fit to be predicted"),
    ],
)
def test_what_cannot_be_read_is_one_line(name, message, error_of, inside):
    (inside / "empty").mkdir()
    (inside / "page.csv").write_text("<!DOCTYPE html><html>")
    (inside / "ids.csv").write_text("id,site\n" + "".join(f"{i},Jena\n" for i in range(30)))
    assert error_of("init", name).startswith(message)
    assert not (inside / "config.yaml").exists()
