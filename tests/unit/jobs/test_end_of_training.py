"""The end of a search: its last epochs, and training that diverged."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.jobs import train
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.records import Status
from netsurgery.search.selection import SelectionMode
from netsurgery.storage.files import read_json, write_checksums
from netsurgery.training import TrainableNetwork
from tests.support.factories import prepare_digits, search

WARM_UP, FINAL = "warm-up", "final"
GREEDY = SelectionMode.GREEDY


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    prepare_digits(folder)
    return folder


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """A regression on large numbers."""
    folder = tmp_path_factory.mktemp("numbers")
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1e4, (60, 3))
    np.savez(folder / "x.npz", x_train=x, y_train=x.sum(axis=1))
    source = {"source": "npz", "path": str(folder / "x.npz"), "task": "regression"}
    datasets.prepare("numbers", source | {"scaling": "none"}, folder)
    datasets.write_split(folder, folder / "split.npz", datasets.SplitSettings(0.1, 0.1), 0)
    return folder


def step(data: Path, output: Path, name: str, **changed) -> TrainingStep:
    changed = {"score_window": 1, "mode": "balanced", "greediness": 0.5} | changed
    settings = search(topology="ff-small", **changed).settings
    if data.name.startswith("numbers"):
        settings = {**settings, "objective": "val_loss", "loss": "mse"} | changed
    output.parent.mkdir(parents=True, exist_ok=True)
    return TrainingStep(data, data / "split.npz", 0, dict(settings), output, name)


LAYERS = [{"dense": {"units": 10}}]


@pytest.fixture(scope="module")
def selected(digits, tmp_path_factory):
    """A network that trained for three epochs."""
    model = tmp_path_factory.mktemp("selected") / "warm-up.keras"
    train.train_initial_network(step(digits, model, WARM_UP), LAYERS, "softmax", 3)
    return model


@pytest.fixture(scope="module")
def spoiled(digits, tmp_path_factory):
    """The digits, by what they do to a network that trains on: improve, spoil or ruin it."""
    wrong, huge = (tmp_path_factory.mktemp(name) for name in ("wrong", "huge"))
    for folder in (wrong, huge):
        shutil.copytree(digits, folder, dirs_exist_ok=True)
    with np.load(digits / "split.npz") as split:
        arrays = dict(split)
    y = np.load(digits / "y.npy")
    y[arrays["training"]] = (y[arrays["training"]] + 1) % 10
    np.save(wrong / "y.npy", y)
    np.savez(huge / "split.npz", **(arrays | {"scale": np.float32(1e30)}))
    write_checksums(huge / "split.json", huge / "split.npz")
    return {"good": digits, "wrong labels": wrong, "huge inputs": huge}


def last_epochs(data, selected, folder, mode=GREEDY, failure=None):
    """The final model, its record, and that of the selected one, after 100 batches more."""
    final = replace(step(data, folder / "network.keras", FINAL), failure=failure)
    train.train_last_epochs(final, selected, mode, 100)
    return final.output, read_record(final.output), read_record(selected)


@pytest.mark.parametrize("mode", list(SelectionMode))
def test_last_epochs_that_gain_are_kept(mode, spoiled, selected, tmp_path):
    model, record, before = last_epochs(spoiled["good"], selected, tmp_path, mode)
    last = record.last_epochs
    assert (last.batches, last.kept) == (100, True)
    assert (last.score_before, last.score_after) == (before.score, record.score)
    assert last.score_after >= last.score_before
    assert record.batches_trained == before.batches_trained + 100
    assert model.read_bytes() != selected.read_bytes()


@pytest.mark.parametrize("mode", list(SelectionMode))
@pytest.mark.parametrize(
    ("data", "failure"),
    [
        ("wrong labels", None),
        ("huge inputs", None),
        ("good", Status.TIMED_OUT),
        ("good", Status.OUT_OF_MEMORY),
    ],
)
def test_the_selected_network_stays_where_they_do_not(
    data, failure, mode, spoiled, selected, tmp_path
):
    model, record, before = last_epochs(spoiled[data], selected, tmp_path, mode, failure)
    last = record.last_epochs
    assert not last.kept
    assert last.score_before == record.score == before.score
    assert last.score_after is None or last.score_after < before.score
    assert (last.score_after is None) == (data != "wrong labels")
    assert (record.status, record.step) == (Status.OK, FINAL)
    assert record.history == before.history
    assert record.batches_trained == before.batches_trained
    assert record.batches_spent == last.batches > 0  # the budget is spent nevertheless
    assert record.rounds[FINAL].score == last.score_after
    assert record.latency == before.latency > 0
    assert model.read_bytes() == selected.read_bytes()
    assert read_candidate(model, record).network.finite


def test_without_last_epochs_the_selected_network_is_final(digits, selected, tmp_path):
    final = step(digits, tmp_path / "network.keras", FINAL)
    train.train_last_epochs(final, selected, GREEDY, 0)
    record = read_record(final.output)
    assert record.last_epochs is None
    assert record.batches_spent == 0
    assert final.output.read_bytes() == selected.read_bytes()


def why_diverged(data, folder, **changed):
    """What is said of a baseline or first training that diverges."""
    output = folder / "s" / "seed0" / "generation00" / "warm-up.keras"
    first = step(data, output, WARM_UP, **changed)
    with pytest.raises(SystemExit) as ended:
        train.train_initial_network(first, LAYERS, "softmax", 2)
    assert not list(output.parent.iterdir())
    message = str(ended.value)
    start = f"{output.parent.parent}: training diverged: "
    assert message.startswith(start)
    assert "\n" not in message
    return message.removeprefix(start)


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({}, "a smaller learning_rate (now 1e+30), or gradient clipping (optimizer: {sgd: "),
        ({"optimizer": {"adam": {"amsgrad": True}}}, "(optimizer: {adam: {clipnorm: 1.0}})"),
        ({"precision": "bfloat16"}, "or precision: float32 (now bfloat16)"),
    ],
)
def test_a_diverged_training_is_a_failure_with_advice(changed, advice, digits, tmp_path):
    message = why_diverged(digits, tmp_path, learning_rate=1e30, **changed)
    assert "loss is not finite after epoch 1; try " in message
    assert advice in message
    assert "scaling" not in message


def test_clipping_is_not_advised_where_it_is_in_use(digits, tmp_path):
    clipped = {"sgd": {"clipvalue": 1e30}}
    message = why_diverged(digits, tmp_path, learning_rate=1e30, optimizer=clipped)
    assert message.endswith("try a smaller learning_rate (now 1e+30)")


def test_large_inputs_are_named_first(numbers, tmp_path):
    message = why_diverged(numbers, tmp_path)
    assert "not finite after epoch 1; try scaling: standard (now none, and inputs reach" in message


def test_an_objective_that_is_not_finite_asks_for_another(numbers, tmp_path):
    correlation = {"objective": "val_pearson_correlation", "extra_metrics": ["pearson_correlation"]}
    message = why_diverged(numbers, tmp_path, learning_rate=1e-30, optimizer="adam", **correlation)
    assert message == "val_pearson_correlation is not finite after epoch 1; try another objective"


def test_an_infinite_weight_that_no_loss_shows_is_found(digits, selected, tmp_path):
    record = read_record(selected)
    network = read_candidate(selected, record).network
    hidden, _ = network.topology.positions(Dense)
    kernel, bias = network.weights[hidden]
    dead = np.where(np.arange(len(bias)) == 3, -np.inf, bias).astype(np.float32)
    hiding = network.with_arrays({hidden: (kernel, dead)})
    assert isinstance(hiding, Network)
    final = step(digits, tmp_path / "network.keras", FINAL)
    trainable = TrainableNetwork(hiding, final.training_settings.compile)
    after = final.run(trainable, record, {FINAL: 5})
    assert after.history[-1]["val_loss"] is not None
    assert (after.status, after.score) == (Status.DIVERGED, None)


def test_a_network_that_ignores_its_input_is_a_failure(digits, selected, tmp_path):
    record = read_record(selected)
    network = read_candidate(selected, record).network
    _, last = network.topology.positions(Dense)
    kernel, bias = network.weights[last]
    dead = network.with_arrays({last: (np.zeros_like(kernel), bias)})
    before = step(digits, tmp_path / "s" / "seed0" / "dead" / "dead.keras", WARM_UP)
    before.write(before.trainable(dead), record)
    final = step(digits, tmp_path / "s" / "seed0" / "final" / "network.keras", FINAL)
    with pytest.raises(SystemExit) as ended:
        train.finalize(final, [before.output], GREEDY, 0)
    start = f"{tmp_path}/s/seed0: the final network predicts the same for each of 100 test samples"
    assert str(ended.value).startswith(start)
    assert "try a smaller learning_rate (now 0.1), " in str(ended.value)
    assert not final.output.with_name("test.json").exists()
    settings = {**final.settings, "allow_constant_output": True}
    train.finalize(replace(final, settings=settings), [before.output], GREEDY, 0)
    tested = read_json(final.output.with_name("test.json"))
    assert tested["accuracy"] == pytest.approx(0.1, abs=0.05)


def test_a_learning_rate_may_be_an_integer(digits, tmp_path):
    output = tmp_path / "warm-up.keras"
    first = step(digits, output, WARM_UP, learning_rate=1)
    train.train_initial_network(first, LAYERS, "softmax", 1)
    assert read_record(output).status == Status.OK


def test_training_ends_with_the_epoch_that_reaches_the_target(digits, tmp_path):
    """Not sooner and not later, with the weights of so many epochs."""

    def trained(name, epochs, target=None):
        given = replace(step(digits, tmp_path / f"{name}.keras", WARM_UP), target=target)
        train.train_initial_network(given, LAYERS, "softmax", epochs)
        return read_record(given.output)

    whole = trained("whole", 6)
    scores = [entry["val_accuracy"] for entry in whole.history]
    target = scores[3]
    first = next(number for number, score in enumerate(scores, 1) if score >= target)
    record, shorter = trained("target", 6, target), trained("shorter", first)
    assert record.batches_spent == first * record.batches_per_epoch
    assert record.history == shorter.history == whole.history[:first]
    assert record.model_sha256 == shorter.model_sha256
    assert trained("out of reach", 6, 1.0).history == whole.history


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (WARM_UP, 2),
        ("fresh/g03c00", 2),
        (FINAL, 2),
        ("recuperation/g01c00", 1),
        ("cooled/g01c00", 1),
    ],
)
def test_only_lone_trainings_split_their_batches(name, parts, digits, tmp_path):
    assert step(digits, tmp_path / "m.keras", name, batch_parts=2).batch_parts == parts
    assert step(digits, tmp_path / "m.keras", name).batch_parts == 1


@pytest.mark.parametrize(("batch_size", "parts"), [(127, 1), (128, 2), (1000, 2)])
def test_auto_splits_batches_that_are_large_enough(batch_size, parts, digits, tmp_path):
    made = step(digits, tmp_path / "m.keras", FINAL, batch_parts="auto", batch_size=batch_size)
    assert made.batch_parts == parts
