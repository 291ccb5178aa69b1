"""Training steps follow the search's recipe, however the training is split into steps."""

from dataclasses import replace

import numpy as np
import pytest

from netsurgery.jobs import train
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.objectives.step_rates import Along, Ramp
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.selection import SelectionMode
from netsurgery.training import TrainableNetwork, evaluate
from tests.support.factories import prepare_digits, search
from tests.support.training_helpers import SETTINGS

LAYERS = [{"dense": {"units": 10}}]
EPOCHS = 4


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    prepare_digits(folder)
    return folder


@pytest.fixture
def step(digits, tmp_path):
    """Makes a training step of the digits."""

    def make(name, rates=None, stream=None, **settings):
        given = {"topology": "ff-small", "batch_size": 200, **settings}
        chosen = dict(search(**given).settings)
        output = tmp_path / f"{name}.keras"
        made = TrainingStep(digits, digits / "split.npz", 0, chosen, output, name)
        return replace(made, rates=rates, stream=stream)

    return make


def start(step, epochs=1):
    train.train_initial_network(step, LAYERS, "softmax", epochs)
    return step.output


def go_on(step, model, *rounds):
    batches = dict.fromkeys(rounds or [step.name], step.batches_per_epoch)
    train.continue_training(step, model, read_record(model), batches)
    return step.output


def arrays(model):
    network = read_candidate(model, read_record(model)).network
    return [array for layer in network.weights for array in layer]


def same(one, other):
    return all(map(np.array_equal, arrays(one), arrays(other)))


def test_joined_rounds_have_the_rates_of_single_ones(step):
    recipe = {"rates": Along(EPOCHS), "schedule": "cosine", "momentum": 0.9}
    first = start(step("warm-up", **recipe))
    two = go_on(step("b", **recipe), go_on(step("a", **recipe), first))
    assert same(go_on(step("joined", **recipe), first, "a", "b"), two)
    assert not same(go_on(step("constant", momentum=0.9), first, "a", "b"), two)
    held = replace(step("held", **recipe), rates=Along(EPOCHS, start=0, hold=True))
    assert not same(go_on(held, first, "a", "b"), two)


def test_a_record_has_the_rates_that_are_not_constant(step):
    recipe = {"rates": Along(EPOCHS), "schedule": "cosine"}
    model = go_on(step("two", **recipe), start(step("warm-up", **recipe), 2), "a", "b")
    record = read_record(model)
    rates = [entry["learning_rate"] for entry in record.history]
    half = 0.5 / record.batches_per_epoch  # the rate is that at the middle of the last batch
    last = [(1 + np.cos(np.pi * (epoch - half) / EPOCHS)) / 20 for epoch in (1, 2, 3, 4)]
    np.testing.assert_allclose(rates, last, rtol=1e-3)
    plain = start(step("plain"))
    assert "learning_rate" not in read_record(plain).history[-1]


@pytest.mark.parametrize(
    ("batch_size", "scaling", "rate"),
    [("auto", "sqrt", 0.075), ("auto", "none", 0.15), (32, "sqrt", 0.15)],
)
@pytest.mark.parametrize("schedule", ["constant", {"warmup_stable_decay": {"decay": 0}}])
def test_batches_that_are_chosen_small_have_lower_rates(step, batch_size, scaling, rate, schedule):
    recipe = {"algorithm": "arbor", "learning_rate": 0.15, "learning_rate_scaling": scaling}
    made = step("warm-up", Along(1), batch_size=batch_size, schedule=schedule, **recipe)
    assert made.batch_size == 32
    rates = made.learning_rates(0, 10)
    assert rates[-1] == pytest.approx(rate)
    entry = read_record(start(made)).history[-1]
    assert entry.get("learning_rate", 0.15) == pytest.approx(rate)


def test_a_step_trains_with_its_own_rates(step):
    first = start(step("warm-up"))
    still = go_on(step("still", Ramp(0.0, 0.0)), first)
    assert same(still, first)
    assert not same(go_on(step("moving", Ramp(0.0, 0.1)), first, "still"), still)


def test_steps_of_one_stream_see_the_same_samples(step):
    first = start(step("warm-up"))
    one = go_on(step("one", stream="round 1"), first, "one", "more")
    assert same(go_on(step("two", stream="round 1"), first, "two", "again"), one)
    assert not same(go_on(step("three", stream="round 2"), first, "one", "more"), one)
    assert not same(go_on(step("four"), first, "one", "more"), one)


@pytest.mark.parametrize("batches", [0, 8])
def test_the_final_network_has_averaged_weights(step, batches):
    recipe = {"ema_momentum": 0.9, "schedule": "cosine", "rates": Along(EPOCHS)}
    first, final = start(step("warm-up", **recipe), 2), step("final", **recipe)
    train.train_last_epochs(final, first, SelectionMode.GREEDY, batches)
    before, after = (read_record(each) for each in (first, final.output))
    for model, record in ((first, before), (final.output, after)):
        network = TrainableNetwork(read_candidate(model, record).network, SETTINGS)
        found = evaluate(network, final.samples("validation"))["loss"]
        close = found == pytest.approx(record.history[-1]["val_loss"], rel=1e-4)
        assert close == (model == final.output)  # others are kept as they go on


def test_samples_move_in_another_way_in_every_epoch(step):
    first = start(step("warm-up"))
    one = go_on(step("one", stream="a", augmentation="shift"), first, "one", "more")
    assert same(go_on(step("two", stream="a", augmentation="shift"), first, "two", "more"), one)
    for other in ("none", "flip_shift"):
        changed = step(other, stream="a", augmentation=other)
        assert not same(go_on(changed, first, "one", "more"), one)
