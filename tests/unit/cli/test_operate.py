"""`netsurgery operate`: one operation on a Keras model in a file."""

import json
import os
import re
import subprocess
import sys

from netsurgery.storage.files import sha256


def test_an_operation_is_applied_to_a_file(netsurgery, model, tmp_path):
    before, out = sha256(model), tmp_path / "out.keras"
    said = netsurgery(
        "operate", model, out, "--operation", "add_units", "--position", 2, "--seed", 3
    )
    assert said == (
        f"{out}: add_units at 2: dense 5 (relu) is now dense 7 (relu); 224 -> 306 parameters;"
        " exact: predictions stay the same\n"
    )
    assert sha256(model) == before
    assert os.listdir(tmp_path) == ["out.keras"]
    assert json.loads(netsurgery("operations", out, "--json"))[0]["parameters"] == 306
    words = ("--operation", "add_units", "--position", 2, "--force")
    drawn = set()
    for seed in (3, 3, 4, 5, 6):
        netsurgery("operate", model, out, *words, "--seed", seed)
        drawn.add(sha256(out))
    assert len(drawn) == 4


def test_width_pooling_noise_and_samples_can_be_chosen(netsurgery, model, tmp_path):
    import numpy as np

    np.savez(tmp_path / "samples.npz", np.random.default_rng(0).uniform(0, 255, (50, 6, 6, 1)))
    for number, (words, said) in enumerate(
        [
            (("add_units", "--position", 2, "--width", 9), "is now dense 9"),
            (("add_units", "--position", 2, "--noise", 0.1), "approximate: noise"),
            (("add_units", "--position", 2, "--factor", 2), "is now dense 10"),
            (("remove_units", "--position", 2, "--factor", 2), "is now dense 2 "),
            (("add_units", "--position", 2, "--growth", "zeros"), "7 (relu); 224 -> 306"),
            (("add_conv_cell", "--position", 1, "--pooling", "max"), "max pool 2x2"),
            (("truncate", "--position", 2, "--width", 1), "added dense 1 (linear)"),
            (("identity",), "identity: nothing changed; 224 -> 224 parameters; exact"),
            (
                ("remove_units", "--position", 2, "--calibration", tmp_path / "samples.npz"),
                "is now dense 3 (relu)",
            ),
        ]
    ):
        out = tmp_path / f"{number}.keras"
        assert said in netsurgery("operate", model, out, "--operation", *words)


def test_an_illegal_request_is_refused_in_one_line(error_of, model, tmp_path):
    out, there = tmp_path / "out.keras", tmp_path / "there.keras"
    there.write_bytes(b"precious")
    units = ("--operation", "add_units", "--position")
    link = tmp_path / "link.keras"
    link.symlink_to(model)
    for words, reason in [
        (("operate", model, out, *units, 4), "it is the output layer, .*; legal at 2, 3"),
        (("operate", model, out, "--operation", "add_units"), "it needs a position; legal at 2, 3"),
        (("operate", model, out, *units, 2, "--pooling", "max"), "it takes no pooling"),
        (("operate", tmp_path / "none.keras", out, *units, 2), r"none\.keras: no such file"),
        (("operate", there, out, *units, 2), r"there\.keras: not a \.keras file"),
        (("operate", model, there, *units, 2), "the file exists; use --force"),
        (("operate", model, model, *units, 2, "--force"), "would overwrite the model"),
        (("operate", model, link, *units, 2, "--force"), "would overwrite the model"),
        (("operate", model, tmp_path / "out.h5", *units, 2), r"must end in \.keras"),
        (("operate", model, tmp_path / "no" / "out.keras", *units, 2), "no: no such folder"),
        (("operate", model, out, *units, 2, "--calibration", there), "not a .npy or .npz"),
        (("operate", model, out, *units, 2, "--factor", 2, "--width", 9), "give one of them"),
        (
            ("operate", model, out, "--operation", "truncate", "--position", 2, "--factor", 2),
            "truncate makes no layer wider or narrower",
        ),
        (
            ("operate", model, out, *units, 2, "--growth", "zeros", "--noise", 0.1),
            "noise needs copies",
        ),
        (("operations", tmp_path), "is a folder"),
    ]:
        message = error_of(*words)
        assert re.search(reason, message), message
    assert there.read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == ["link.keras", "there.keras"]


def test_a_process_prints_nothing_but_its_summary(model, tmp_path):
    out = tmp_path / "out.keras"
    command = [sys.executable, "-m", "netsurgery", "operate", str(model), str(out)]
    (tmp_path / "keras.json").write_text(
        '{"backend": "jax", "image_data_format": "channels_first"}'
    )
    others = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch"}  # what else the user works on
    done = subprocess.run(
        [*command, "--operation", "add_units", "--position", "2", "--force"],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("TF_")} | others,
    )
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert not done.stderr
