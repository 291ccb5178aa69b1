"""The content of the runs of a search and its candidates."""

from netsurgery.storage.files import read_json, write_json
from tests.support.mlflow_store import by_name, points_of
from tests.support.tracked_search import BASELINE, SETTINGS, FakeSearch, example


def test_a_search_has_settings_progress_and_summary(results):
    search = example(results)
    models = [{"name": "1-NN, warped", "test_metrics": {"accuracy": 0.9}, "seconds": 1.0}]
    write_json(search.folder.reference, {"models": [*models, {"name": "other", "why": "large"}]})
    search.track("final")
    run = by_name(results)["s/seed0"]
    params, tags, metrics = run.data.params, run.data.tags, run.data.metrics
    assert (params["budget"], params["topology"], params["seed"]) == ("60", "ff-small", "0")
    assert params["recuperation.add_conv_cell"] == "0.25"
    assert set(SETTINGS) - {"seeds", "recuperation", "early_stopping"} < set(params)
    assert (params["layers"], params["data.samples"]) == (
        "flatten | dense 10 (relu) | dense 10 (softmax)",
        "1797",
    )
    summary = read_json(search.folder.final / "summary.json")
    numbers = {k: v for k, v in summary.items() if isinstance(v, int | float)}
    for setting in ("seed", "budget", "greediness"):
        del numbers[setting]
    references = {"reference/1-NN warped/test_accuracy": 0.9}
    assert metrics == numbers | references | {"wall_seconds": 0.0}
    assert tags["netsurgery.winner"] == "g02c00"
    assert tags["netsurgery.layers"] == "flatten | dense 10 (relu) | dense 10 (softmax)"
    points = points_of(results, run)
    spent = [(step, value) for key, step, value in points if key == "epochs_spent"]
    assert spent == [(0, 2.0), (1, 5.3), (2, 7.5), (3, 8.0)]


def test_a_candidate_has_its_surgery_and_history_by_batches(results):
    example(results).track("final")
    runs = by_name(results)
    run = runs["g01c01"]
    assert run.data.params == {
        "generation": "01",
        "parent": "g00c00",
        "operation": "add_dense",
        "position": "1",
        "precision": "float32",
        "layers": "flatten | dense 10 (relu) | dense 10 (softmax)",
    }
    assert [point for point in points_of(results, run) if point[0] != "val_loss"] == [
        ("accuracy", 21, 0.9),
        ("accuracy", 31, 0.9),
        ("epoch", 21, 2.1),
        ("epoch", 31, 3.1),
        ("loss", 21, 0.3),
        ("loss", 31, 0.3),
        ("model_bytes", 31, 3040.0),
        ("multiplications", 31, 740.0),
        ("parameters", 31, 760.0),
        ("peak_memory", 31, 512.0),
        ("val_accuracy", 21, 0.5),
        ("val_accuracy", 31, 0.7),
        ("val_score", 31, 0.7),
    ]
    outcomes = {
        name: [run.data.tags.get(f"netsurgery.{tag}") for tag in ("status", "outcome", "selected")]
        for name, run in runs.items()
    }
    assert outcomes.pop("s/seed0") == ["ok", None, None]
    assert outcomes == {
        "g00c00": ["ok", "winner", None],
        "g01c00": ["ok", "eliminated", None],
        "g01c01": ["ok", "winner", None],
        "g01c02": ["diverged", "eliminated", None],
        "g02c00": ["ok", "winner", "true"],
        "g02c01": ["ok", "eliminated", None],
    }
    assert (
        runs["g01c02"].data.tags["netsurgery.eliminated_in"] == "g01/phase1/add_dense/round1/slot2"
    )
    assert runs["g01c02"].info.status == "FAILED"
    assert "val_score" not in runs["g01c02"].data.metrics
    assert max(step for key, step, *_ in points_of(results, runs["g02c00"])) == 47


def test_a_run_with_more_points_than_one_call_takes(results):
    search = FakeSearch(results, "plain", settings=BASELINE, epochs=200)
    search.finish(0)
    search.track("final")
    runs = by_name(results)
    assert set(runs) == {"plain/seed0", "g00c00"}
    assert len(points_of(results, runs["g00c00"])) == 5 * 201 + 5
    assert runs["plain/seed0"].data.metrics["epochs_spent"] == 200.5
