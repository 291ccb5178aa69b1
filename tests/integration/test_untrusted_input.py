"""What others may send us: names, files, requests, configurations."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from benchmarks.faults import configs
from benchmarks.faults.invalid_configs import invalid_configs
from benchmarks.faults.valid_configs import read_schema, valid
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery import datasets
from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import arrays
from netsurgery.jobs import server
from netsurgery.keras_io import user_files
from netsurgery.storage.files import UnusableFileError
from tests.support.factories import ROOT, SCHEMA
from tests.support.workflow_runs import run, search_folder

BASE = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small"}
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# made of what means something to a shell, a path, Snakemake, HTML or SQL
PARTS = """a b7 ../ / . ; $(id) ` ' " { } <i> & | > * ~ - % ä _ \\""".split()
PARTS += [" ", "\n", "\0"]
NAMES = st.text(max_size=8) | st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join)


def taken(given_config):
    """The configuration; None if it is refused, in one line."""
    try:
        return loading.load(given_config, SCHEMA)
    except ConfigError as error:
        return pytest.fail(str(error)) if "\n" in str(error) else None


@settings(max_examples=50)
@given(NAMES)
def test_a_name_that_is_taken_is_letters_and_digits(name):
    dataset = {name: {"source": "sklearn", "name": "digits"}}
    topology = {name: [{"dense": {"units": 3}}]}
    for found in (
        taken({"searches": {name: BASE}}),
        taken({"searches": {"s": BASE}, "datasets": dataset}),
        taken({"searches": {"s": BASE}, "topologies": topology}),
    ):
        assert found is None or PLAIN.fullmatch(name), repr(name)


@settings(max_examples=50)
@given(NAMES)
def test_an_accepted_results_folder_is_plain_text_everywhere(name):
    if taken({"searches": {"s": BASE}, "results": name}):
        assert re.fullmatch(r"[\w./+@=,-]+", name)
        assert not name.startswith("-")


def test_names_of_classes_and_columns_are_text_and_nothing_else(tmp_path):
    """They come from data: they go through a whole search, and end in its files as they are."""
    rng = np.random.default_rng(0)
    classes = ["<script>alert(1)</script>", "$(touch pwned); `touch pwned`", "{x} '\" $\\frac{"]
    column = "a,b$(touch pwned)<b>"
    rows = ["\t".join(["one", column, "label"])]
    for number in range(90):
        kind = number % 3
        rows.append(f"{kind + rng.normal():.3f}\t{rng.normal():.3f}\t{classes[kind]}")
    (tmp_path / "it's here; $(touch pwned).csv").write_text("\n".join(rows))
    table = {
        "source": "csv",
        "path": "it's here; $(touch pwned).csv",
        "target": "label",
        "delimiter": "\t",
    }
    only = {"algorithm": "baseline", "dataset": "t", "topology": "ff-small", "epochs": 1}
    top = {"datasets": {"t": table}, "searches": {"s": only | {"seeds": [0]}}}
    run(tmp_path, top=top)
    said = json.loads((search_folder(tmp_path).final / "preprocessing.json").read_text())
    assert sorted(said["classes"]) == sorted(classes)
    page = (tmp_path / "results" / "summary.html").read_text()
    assert "<script" not in page
    outside = {p.name for p in tmp_path.iterdir()}
    assert outside == {"results", ".snakemake", "config.yaml", table["path"]}


# --- files ----------------------------------------------------------------------------------------


def test_an_archive_bomb_is_rejected(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (100 * 2**20))
    with pytest.raises(UnusableFileError, match="would unpack to 104,857,600 bytes"):
        user_files.read_model(path)


def test_samples_larger_than_the_disk_are_never_written(tmp_path):
    x, y = tmp_path / "x_train.npy", tmp_path / "y_train.npy"
    head = {"shape": (2**40, 32, 32, 3), "fortran_order": False, "descr": "|u1"}
    for path, shape in ((x, (2**40, 32, 32, 3)), (y, (2**40,))):
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, head | {"shape": shape})
    with pytest.raises(datasets.DataError, match=r"needs 3,145,728.0 GiB"):
        datasets.prepare("d", {"source": "npy", "path": str(tmp_path)}, tmp_path / "out")
    assert not (tmp_path / "out" / "x.npy").exists()


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_no_bytes_make_an_array_file_do_more_than_fail(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("arrays")
    for name in ("x_train", "y_train"):
        (folder / f"{name}.npy").write_bytes(b"\x93NUMPY\x01\x00" + content)
    with contextlib.suppress(datasets.DataError):
        arrays.open_arrays({"source": "npy", "path": str(folder)})


# --- requests to a warm server --------------------------------------------------------------------


def descriptors():
    return len(os.listdir("/proc/self/fd"))


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(0, 3))
def test_no_request_leaves_a_descriptor_or_ends_the_server(content, count):
    before = descriptors()
    mine, theirs = socket.socketpair()
    with mine, theirs, open(os.devnull) as some:
        theirs.settimeout(5)
        socket.send_fds(mine, [content or b"\n"], [some.fileno()] * count)
        mine.shutdown(socket.SHUT_WR)
        try:
            arguments, _, received = server.receive(theirs)
        except (OSError, ValueError):
            received = []
        else:
            assert all(isinstance(word, str) for word in arguments)
        for descriptor in received:
            os.close(descriptor)
    assert descriptors() == before


def test_a_request_of_another_user_is_refused(monkeypatch):
    mine, theirs = socket.socketpair()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with mine, theirs, pytest.raises(ValueError, match="another user"):
        server.receive(theirs)


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "1"],
        ["train_initial_network", "--help-me"],
        ["-c", "import os"],
        ["surgery_fidelity"],
        [],
    ],
)
def test_a_training_server_takes_training_steps_only(words):
    from netsurgery.jobs import training_commands

    with pytest.raises(SystemExit) as end:
        training_commands.parser.parse_args(words)
    assert end.value.code == 2


# --- configurations -------------------------------------------------------------------------------


def test_invalid_configurations_end_with_the_key_named():
    rng, schema = np.random.default_rng(1), read_schema()
    examples = [x for _, x in zip(range(80), invalid_configs(schema, rng), strict=False)]
    assert [(e.key, e.given, said) for e in examples if (said := configs.problem_of(e))] == []
    assert len({e.error for e in examples}) >= 6


def test_right_configurations_are_taken():
    rng, schema = np.random.default_rng(2), read_schema()
    for _ in range(20):
        assert loading.load(valid(schema, rng), SCHEMA).searches


def test_the_command_says_the_same(tmp_path):
    rng, schema = np.random.default_rng(3), read_schema()
    for _, example in zip(range(1), invalid_configs(schema, rng), strict=False):
        problem, _ = configs.problem_of_command(example, tmp_path)
        assert not problem
    code, said, _ = configs.command(valid(schema, rng), tmp_path, "--dry-run", "--quiet")
    assert code == 0, said


CODE = "searches: {s: !!python/object/apply:os.system ['touch pwned']}"


def test_a_path_with_braces_is_invalid():
    dataset = {"d": {"source": "csv", "path": "{x}.csv", "target": 0}}
    with pytest.raises(ConfigError, match=r"datasets\.d\.path: '{x}\.csv' has braces"):
        loading.load({"searches": {"s": BASE}, "datasets": dataset}, SCHEMA)


@pytest.mark.parametrize("text", [CODE, "searches: {s: ["])
def test_a_config_file_that_is_none_runs_nothing(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    code, said, _ = configs.command_of(path, tmp_path)
    assert code == 1
    assert not any("Traceback" in line for line in said)
    assert not (tmp_path / "pwned").exists()


def test_nothing_of_ours_loads_pickles_or_runs_text_as_code():
    """What ruff's rules of flake8-bandit find."""
    rules = "S102,S301,S302,S307,S506,S602,S605"
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", rules]
    done = subprocess.run(
        [*command, str(ROOT / "src"), str(ROOT / "benchmarks")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    calls = re.compile(r"allow_pickle=True|enable_unsafe_deserialization|safe_mode=False")
    sources = [p for p in Path(ROOT, "src").rglob("*.py") if calls.search(p.read_text())]
    assert sources == []
