"""The `netsurgery` command."""

import json
import os
import re
import subprocess
import sys

import pytest

from netsurgery.cli.main import describe, main
from netsurgery.storage.files import sha256, write_json

SUMMARY = {
    "seed": 3,
    "test_accuracy": 0.975,
    "start_parameters": 939,
    "parameters": 1558,
    "epochs_spent": 800.0,
    "epochs_trained": 95.25,
    "generations": 4,
}


def test_results_lists_each_finished_search_with_its_model_and_lineage(tmp_path):
    write_json(tmp_path / "digits" / "seed3" / "final" / "summary.json", SUMMARY)
    plain = SUMMARY | {"generations": 0, "seed": 11, "parameters": 939}
    write_json(tmp_path / "plain" / "seed11" / "final" / "summary.json", plain)
    (tmp_path / "unfinished" / "seed0" / "final").mkdir(parents=True)
    text = describe(tmp_path)
    assert "97.5%" in text
    assert "939 -> 1558" in text
    assert str(tmp_path / "digits" / "seed3" / "final" / "model.keras") in text
    assert str(tmp_path / "plain" / "seed11" / "lineage.csv") in text
    assert "unfinished" not in text
    assert "report" not in text
    (tmp_path / "report.html").touch()
    assert str(tmp_path / "report.html") in describe(tmp_path)


def test_a_folder_without_results_is_said_to_be_one(tmp_path):
    assert describe(tmp_path) == f"{tmp_path}: no finished search here"
    command = [sys.executable, "-m", "netsurgery.cli.main", "results", str(tmp_path / "nowhere")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / 'nowhere'}: no such folder\n"


LINEAGE = """\
candidate,parent,generation,operation,position,parameters,epochs_trained,val_score,status,eliminated_in
g00c00,,0,,,939,10.0,0.7304,ok,
g01c00,g00c00,1,identity,,939,40.1,0.7531,ok,g01/phase2/round1/slot0
g01c02,g00c00,1,remove_dense,13,829,31.0,0.8909,ok,
g02c05,g01c02,2,add_channels,0,1234,60.5,,diverged,g02/recuperation
"""


@pytest.fixture
def searched(tmp_path):
    (tmp_path / "lineage.csv").write_text(LINEAGE)
    write_json(tmp_path / "final" / "summary.json", SUMMARY | {"candidate": "g01c02"})
    return tmp_path


def printed(capsys, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["netsurgery", *map(str, words)])
    main()
    return capsys.readouterr().out.splitlines()


def test_a_lineage_goes_from_the_starting_network_to_the_candidate(searched, capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, "lineage", searched, "g02c05")
    assert [line.split()[0] for line in lines] == ["candidate", "g00c00", "g01c02", "g02c05"]
    assert re.split(r"  +", lines[2]) == ["g01c02", "remove_dense", "13", "829", "31.0", "0.8909"]
    assert "starting topology" in lines[1]
    assert lines[3].endswith("1,234       60.5    not finite  g02/recuperation")
    final = printed(capsys, monkeypatch, "lineage", searched)
    assert final == printed(capsys, monkeypatch, "lineage", searched, "g01c02")


def test_a_lineage_that_is_not_there_is_said_in_one_line(searched, capsys, monkeypatch):
    for words, line in (
        ((searched, "g09c09"), "g09c09: no candidate of"),
        ((searched / "final",), "lineage.csv: not there"),
    ):
        with pytest.raises(SystemExit) as ended:
            printed(capsys, monkeypatch, "lineage", *words)
        assert line in str(ended.value.code)


# --- surgery --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A trained and compiled model in a file: dense layers at 1, 3 and 4 behind a scaling."""
    import keras
    import numpy as np

    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(5, "relu", name="ours"),
            layers.Dense(4, "relu"),
            layers.Dense(3, "softmax"),
        ]
    )
    made.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse", run_eagerly=True)
    made.fit(np.ones((4, 6, 6, 1)), np.ones((4, 3)), verbose=0)
    path = tmp_path_factory.mktemp("models") / "model.keras"
    made.save(path)
    return path


@pytest.fixture
def say(monkeypatch, capfd):
    """Run a command; its output, or what it is refused with."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["netsurgery", *map(str, words)])
        main()
        found = capfd.readouterr()
        assert not found.err
        return found.out

    return run


def refused(say, *words):
    with pytest.raises(SystemExit) as refusal:
        say(*words)
    message = refusal.value.code
    assert isinstance(message, str)  # exit status 1, the message on stderr
    assert "\n" not in message
    return message


def test_operations_are_listed_as_objects(say, model):
    found = json.loads(say("operations", model, "--json"))
    start = 36 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3
    assert found[0] == {
        "operation": "identity",
        "position": None,
        "width": None,
        "pooling": None,
        "parameters": start,
        "exact": True,
    }
    assert [(entry["operation"], entry["position"]) for entry in found[1:]] == [
        *(("add_dense", position) for position in (3, 4)),
        *(("remove_dense", position) for position in (2, 3)),
        *(("add_units", position) for position in (2, 3)),
        *(("remove_units", position) for position in (2, 3)),
        ("add_conv_cell", 1),
    ]
    wider = found[5]
    assert (wider["width"], wider["parameters"]) == (7, start + 2 * (36 + 1 + 4))
    assert [entry["pooling"] for entry in found] == [None] * 9 + ["average"]
    narrow = json.loads(say("operations", model, "--json", "--operation", "truncate"))
    assert {entry["operation"] for entry in narrow} == {"truncate"}


def test_operations_are_listed_as_a_table(say, model):
    lines = say("operations", model).splitlines()
    assert lines[0].split() == "operation position layer there width parameters predictions".split()
    assert lines[6].split("  ")[0] == "add_units"
    assert [" ".join(line.split()) for line in lines[5:7]] == [
        "remove_dense 3 dense 4 (relu) 203 differ",
        "add_units 2 dense 5 (relu) 7 306 the same",
    ]


def test_an_operation_is_performed_on_a_file(say, model, tmp_path):
    before, out = sha256(model), tmp_path / "out.keras"
    said = say("operate", model, out, "--operation", "add_units", "--position", 2, "--seed", 3)
    assert said == (
        f"{out}: add_units at 2: dense 5 (relu) is now dense 7 (relu); 224 -> 306 parameters;"
        " exact: it predicts the same\n"
    )
    assert sha256(model) == before
    assert os.listdir(tmp_path) == ["out.keras"]
    assert json.loads(say("operations", out, "--json"))[0]["parameters"] == 306
    words = ("--operation", "add_units", "--position", 2, "--force")
    drawn = set()
    for seed in (3, 3, 4, 5, 6):
        say("operate", model, out, *words, "--seed", seed)
        drawn.add(sha256(out))
    assert len(drawn) == 4


def test_width_pooling_noise_and_samples_can_be_chosen(say, model, tmp_path):
    import numpy as np

    np.savez(tmp_path / "samples.npz", np.random.default_rng(0).uniform(0, 255, (50, 6, 6, 1)))
    for number, (words, said) in enumerate(
        [
            (("add_units", "--position", 2, "--width", 9), "is now dense 9"),
            (("add_units", "--position", 2, "--noise", 0.1), "approximate: noise"),
            (("add_conv_cell", "--position", 1, "--pooling", "max"), "max pool 2x2"),
            (("truncate", "--position", 2, "--width", 1), "new dense 1 (linear)"),
            (("identity",), "identity: nothing changed; 224 -> 224 parameters; exact"),
            (
                ("remove_units", "--position", 2, "--calibration", tmp_path / "samples.npz"),
                "is now dense 3 (relu)",
            ),
        ]
    ):
        out = tmp_path / f"{number}.keras"
        assert said in say("operate", model, out, "--operation", *words)


def test_what_cannot_be_done_is_refused_in_one_line(say, model, tmp_path):
    out, there = tmp_path / "out.keras", tmp_path / "there.keras"
    there.write_bytes(b"precious")
    units = ("--operation", "add_units", "--position")
    link = tmp_path / "link.keras"
    link.symlink_to(model)
    for words, reason in [
        (("operate", model, out, *units, 4), "it is the output layer, .*; legal at 2, 3"),
        (("operate", model, out, "--operation", "add_units"), "it needs a position; legal at 2, 3"),
        (("operate", model, out, *units, 2, "--pooling", "max"), "only an added conv cell"),
        (("operate", tmp_path / "none.keras", out, *units, 2), r"none\.keras: no such file"),
        (("operate", there, out, *units, 2), r"there\.keras: not a \.keras file"),
        (("operate", model, there, *units, 2), "there already, --force overwrites it"),
        (("operate", model, model, *units, 2, "--force"), "would overwrite the model"),
        (("operate", model, link, *units, 2, "--force"), "would overwrite the model"),
        (("operate", model, tmp_path / "out.h5", *units, 2), r"must end in \.keras"),
        (("operate", model, tmp_path / "no" / "out.keras", *units, 2), "no: no such folder"),
        (("operate", model, out, *units, 2, "--calibration", there), "not a .npy or .npz"),
        (("operations", tmp_path), "that is a folder"),
    ]:
        message = refused(say, *words)
        assert re.search(reason, message), message
    assert there.read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == ["link.keras", "there.keras"]


def test_a_process_of_its_own_says_nothing_but_what_was_done(model, tmp_path):
    out = tmp_path / "out.keras"
    command = [sys.executable, "-m", "netsurgery.cli.main", "operate", str(model), str(out)]
    for words, status in ((["--position", "2"], 0), (["--position", "9"], 1)):
        done = subprocess.run(
            [*command, "--operation", "add_units", *words, "--force"],
            capture_output=True,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("TF_")},
        )
        assert done.returncode == status
        said, silent = (done.stdout, done.stderr) if status == 0 else (done.stderr, done.stdout)
        assert len(said.splitlines()) == 1
        assert not silent


def test_results_are_listed_without_keras():
    code = "import sys, netsurgery.cli.main; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
