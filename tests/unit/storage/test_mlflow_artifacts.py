"""Places of artifacts below another root."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.storage.mlflow_artifacts import FOLDER, bring, relocated

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0\n"), min_size=1, max_size=9)
FOLDERS = st.lists(NAMES.filter(lambda name: name not in (".", "..")), max_size=4)


@given(FOLDERS, FOLDERS, st.sampled_from(["", "/0", "/run/artifacts", "/models/m-1/artifacts"]))
def test_a_place_keeps_its_path_below_the_root(old, new, rest):
    root, other = (Path("/", *folders, FOLDER) for folders in (new, old))
    place = relocated(f"{other}{rest}", root)
    assert (place or f"{other}{rest}") == f"{root}{rest}"
    assert relocated(f"{root}{rest}", root) is None
    assert (relocated(f"file://{other}{rest}", root)) == f"{root}{rest}"


@pytest.mark.parametrize(
    "place",
    [
        "mlflow-artifacts:/1/run/artifacts",  # of a server
        "s3://bucket/mlflow-artifacts/run",
        "/data/mlruns/1/run/artifacts",
        "/data/mlflow-artifacts-2/run/artifacts",
        "",
    ],
)
def test_a_place_that_somebody_else_chose_stays(place):
    assert relocated(place, Path("/results/mlflow-artifacts")) is None


def test_artifacts_are_copied_once_and_whole(tmp_path):
    old, new = tmp_path / "old", tmp_path / "deep" / "new"
    (old / "plots").mkdir(parents=True)
    (old / "plots" / "a.svg").write_text("a")
    bring(str(old), str(new))
    (old / "plots" / "a.svg").write_text("another")
    bring(str(old), str(new))
    assert (new / "plots" / "a.svg").read_text() == "a"
    assert [path.name for path in new.parent.iterdir()] == ["new"]


def test_lost_artifacts_are_no_error(tmp_path):
    bring(str(tmp_path / "gone"), str(tmp_path / "new"))
    file = tmp_path / "file"
    file.touch()
    bring(str(tmp_path), str(file / "new"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
