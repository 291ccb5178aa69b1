"""Results of other settings, code or data are found by what they say themselves."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netsurgery.config import loading, search_section
from netsurgery.config.starting_models import StartingModel
from netsurgery.networks import topologies
from netsurgery.storage.dependencies import Dependencies
from netsurgery.storage.files import read_json, write_json
from netsurgery.workflow import dependencies as job_dependencies
from netsurgery.workflow.code_stages import SHARED
from netsurgery.workflow.outdated import UNKNOWN, OutdatedFiles
from tests.support.chain import Chain
from tests.support.factories import SCHEMA

SEARCH = {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small", "budget": 200}
SEARCH |= {"seeds": [1], "warm_up_epochs": 2, "round_epochs": 1, "optimizer": {"adam": {}}}


SAME_AS_NAMED = {"same": [{"dense": {"units": 10.0, "activation": "relu"}}]}


def configure(results, top=None, **search):
    given = {"results": str(results), "searches": {"s": SEARCH | search}} | (top or {})
    given["topologies"] = SAME_AS_NAMED
    return loading.load(given, SCHEMA)


def outdated(config, *, table=False, **options):
    """The outdated files with reasons, and what is said; the table of all searches if asked for."""
    folders = OutdatedFiles(config, **options).find(config.runs)
    folders = [each for each in folders if table or each.folder != Path(config.results)]
    files = {each.path: each.reasons for folder in folders for each in folder.files}
    results = Path(config.results)
    names = {str(path.relative_to(results)): reasons for path, reasons in files.items()}
    return names, "\n".join(map(str, folders))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished search."""
    return Chain(configure(tmp_path_factory.mktemp("made") / "results")).write()


@pytest.fixture
def copy(made, tmp_path):
    return made.copied(tmp_path / "copy")


def test_what_was_made_with_the_same_settings_is_up_to_date(made, copy, monkeypatch):
    assert outdated(configure(made.results)) == ({}, "")
    monkeypatch.chdir(copy.parent)
    (copy.parent / "link").symlink_to(copy)
    for results in (copy, "copy", "./copy", "link", copy.parent / "x" / ".." / "copy"):
        assert outdated(configure(results)) == ({}, "")


@pytest.mark.parametrize(
    "same",
    [
        {"budget": 200.0},
        {"warm_up_epochs": 2.0, "round_epochs": 1.0},
        {"learning_rate": 0.001},  # the default of adam
        {"optimizer": "adam"},
        {"optimizer": {"adam": {"beta_1": 0.9, "amsgrad": False}}},  # as Keras has them
        {"loss": {"crossentropy": {}}},
        {"schedule": {"constant": {}}},
        {"time_limit": 100},
        dict(reversed(SEARCH.items())),
    ],
)
def test_another_spelling_of_the_settings_makes_nothing_outdated(made, same):
    assert outdated(configure(made.results, **same)) == ({}, "")


def test_another_seed_leaves_the_first_as_it_is(made):
    found, said = outdated(configure(made.results, seeds=[1, 2]), table=True)
    assert set(found) == {"summary.json"}
    assert "it is of other searches" in said


def test_another_name_of_the_topology_retrains_nothing(made):
    """The summary names it, but the layers decide."""
    found, _ = outdated(configure(made.results, topology="same"))
    assert {name.split("/")[2] for name in found} == {"final", "plots"}
    assert "s/seed1/final/network.json" not in found


@pytest.mark.parametrize(
    ("changed", "first", "line"),
    [
        (
            {"learning_rate": 0.5},
            "generation00/warm-up.json",
            "learning_rate is 0.001 there, 0.5 in",
        ),
        ({"schedule": "cosine"}, "generation00/warm-up.json", 'schedule is "constant" there, "cos'),
        ({"warm_up_epochs": 3}, "generation00/warm-up.json", "warm_up_epochs is 2 there, 3 in"),
        (
            {"optimizer": {"adam": {"beta_1": 0.8}}},
            "generation00/warm-up.json",
            'optimizer is "adam" ',
        ),
        ({"topology": "ff-medium"}, "generation00/warm-up.json", "topology is "),
        ({"validation_fraction": 0.3}, "split.json", "validation_fraction is 0.1 there, 0.3 in"),
        ({"round_epochs": 3}, "generation01/plan.json", "round_epochs is 1 there, 3 in the config"),
        ({"copy_noise": 0.5}, "generation01/recuperation/g01c00.json", "copy_noise is "),
        ({"mode": "random"}, "generation01/phase", 'mode is "greedy" there, "random" in the'),
        ({"budget": 300}, "final/summary.json", "budget is 200 there, 300 in the configuration"),
    ],
)
def test_a_changed_setting_is_named_with_what_it_decides(made, changed, first, line):
    found, said = outdated(configure(made.results, **changed))
    assert f"seed1: {line}" in said
    assert f"the run makes {first}" in said
    assert any(name.startswith(f"s/seed1/{first}") for name in found)
    assert "s/seed1/final/summary.json" in found
    assert "_data/digits/data.json" not in found


def test_a_larger_budget_keeps_the_generations(made):
    found, _ = outdated(configure(made.results, budget=300))
    assert {name.split("/")[2] for name in found} <= {"generation02", "final", "plots"}


def test_a_larger_budget_changes_the_rates_of_a_schedule(tmp_path):
    made = Chain(configure(tmp_path / "results", schedule="cosine")).write()
    assert outdated(configure(made.results, schedule="cosine")) == ({}, "")
    found, said = outdated(configure(made.results, schedule="cosine", budget=300))
    assert "schedule_epochs is 200 there, 300 in the configuration" in said
    assert "the run makes generation00/warm-up.json again" in said
    steps = [name for name in found if "/generation" in name and "/plan" not in name]
    assert len(steps) > 5


def test_a_plan_comes_before_the_end_of_a_search(copy):
    plan, summary = copy / "s/seed1/generation02/plan.json", copy / "s/seed1/final/summary.json"
    for path in (plan, summary):
        old = Dependencies.read(path)
        old.with_settings(seed=7).write(path, read_json(path))
    _, said = outdated(configure(copy))
    assert "the run makes generation02/plan.json again" in said


def test_a_table_of_other_searches_is_outdated(made):
    given = {"results": str(made.results), "topologies": SAME_AS_NAMED}
    more = {"s": SEARCH, "t": SEARCH | {"seeds": [1]}}
    config = loading.load(given | {"searches": more}, SCHEMA)
    found, said = outdated(config, table=True)
    assert set(found) == {"summary.json"}
    assert "it is of other searches; the run makes summary.json again" in said
    config = loading.load(given | {"searches": {"s": SEARCH}}, SCHEMA)
    assert outdated(config, table=True) == ({}, "")


def test_another_dataset_is_named(made):
    top = {"datasets": {"wine": {"source": "sklearn", "name": "wine"}}}
    found, said = outdated(configure(made.results, top, dataset="wine"))
    assert 'dataset is "digits" there, "wine" in the configuration' in said
    assert "s/seed1/generation00/warm-up.json" in found


@pytest.mark.parametrize(
    ("stage", "first"),
    [
        ("data", "data.json"),
        ("training", "generation00/warm-up.json"),
        ("surgery", "generation01/recuperation/g01c00.json"),
        ("planning", "generation00/winners.json"),
        ("final model", "final/network.json"),
        ("export", "final/errors.json"),
        ("report", "final/summary.json"),
        (SHARED, "data.json"),
    ],
)
def test_changed_code_redoes_what_it_decides(made, monkeypatch, stage, first):
    known = job_dependencies.code_digests

    def changed(*stages):
        return {name: "x" if name == stage else sha for name, sha in known(*stages).items()}

    monkeypatch.setattr(job_dependencies, "code_digests", changed)
    _, said = outdated(configure(made.results))
    assert f"the run makes {first} again" in said
    assert ("code that all stages share" if stage == SHARED else f"code of {stage} has") in said
    # without comparing with the code of this package, the files belong together
    assert outdated(configure(made.results), compare_code=False) == ({}, "")


def test_generations_of_different_code_do_not_belong_together(copy):
    path = copy / "s/seed1/generation01/winners.json"
    old = Dependencies.read(path)
    Dependencies(old.settings, old.code | {"planning": "x"}, old.inputs).write(
        path, read_json(path)
    )
    _, said = outdated(configure(copy), compare_code=False)
    assert "not all files are of the same version of the code of planning" in said


def names_of(made):
    files = [made.data, *sorted(made.folder.root.rglob("*.json")), made.results / "summary.json"]
    return [str(path.relative_to(made.results)) for path in files]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_a_changed_file_was_made_into_is_outdated(made, tmp_path, data):
    """Whichever file is replaced: exactly the files behind it in the chain are outdated."""
    name = data.draw(st.sampled_from(names_of(made)))
    results = made.copied(tmp_path / "replaced")
    try:
        before = {each: Dependencies.read(results / each).inputs for each in names_of(made)}
        Dependencies.read(results / name).write(results / name, {"replaced": True})
        behind, more = set(), {results / name}
        while more:
            behind |= more
            more = {results / n for n, inputs in before.items() if behind & inputs.keys()} - behind
        # without a configuration, too
        config = configure(results)
        for searches in (config.searches, {}):
            unnamed = configure(results)
            object.__setattr__(unnamed, "searches", searches)
            found = OutdatedFiles(unnamed, compare_code=False).find([("s", 1)])
            paths = {each.path for folder in found for each in folder.files}
            is_plan = name.endswith("plan.json")  # it decides what others should depend on
            assert (
                paths >= behind - {results / name}
                if is_plan
                else paths == behind - {results / name}
            )
    finally:
        shutil.rmtree(results)


def test_mixed_generations_are_named_without_a_configuration(made, tmp_path, copy):
    """A generation of another search in the place of the own one."""
    Chain(configure(tmp_path / "other", learning_rate=0.5), score=0.7).write()
    record = "s/seed1/generation00/warm-up.json"
    shutil.copy(tmp_path / "other" / record, copy / record)
    config = configure(copy)
    object.__setattr__(config, "searches", {})
    folder, _ = OutdatedFiles(config, compare_code=False).find()
    assert f"made from another {copy / record}" in str(folder)


def test_results_are_checked_by_a_relative_path(copy, monkeypatch):
    data = copy / "_data/digits/data.json"
    old = Dependencies.read(data)
    Dependencies(old.settings, {"data": "x"}, old.inputs).write(data, read_json(data))
    (copy / "_data/other").mkdir()
    write_json(copy / "_data/other/data.json", {})
    monkeypatch.chdir(copy.parent)
    config = configure("copy")
    object.__setattr__(config, "searches", {})
    found = OutdatedFiles(config, compare_code=False).find()
    assert [str(folder.folder) for folder in found] == ["copy/_data/other"]


def test_a_file_that_claims_to_be_made_from_itself_ends_nothing(copy):
    path = copy / "s/seed1/split.json"
    Dependencies.read(path).with_inputs([path]).write(path, read_json(path))
    _, said = outdated(configure(copy))
    assert f"made from another {path}" not in said


def test_backups_next_to_results_do_no_harm(copy):
    shutil.copytree(copy / "s/seed1", copy / "s/seed1_backup")
    shutil.copytree(copy / "s/seed1", copy / "s/seed")
    assert OutdatedFiles(configure(copy), compare_code=False, complete=True).find() == []


def test_long_searches_are_checked_generation_by_generation(tmp_path):
    """Generation 100 comes after 99, or Python's stack would end."""
    folder = tmp_path / "s/seed1"
    chain, before = Dependencies({}, {"planning": "x"}), []
    for number in range(1, 1200):
        path = folder / f"generation{number:02d}/winners.json"
        chain.with_inputs(before).write(path, {"number": number})
        before = [path]
    config = configure(tmp_path)
    object.__setattr__(config, "searches", {})
    assert OutdatedFiles(config, compare_code=False).find() == []


def test_a_file_that_does_not_say_what_it_depends_on_is_outdated(copy):
    path = copy / "s/seed1/generation01/plan.json"
    write_json(path, read_json(path))
    found, said = outdated(configure(copy))
    assert found["s/seed1/generation01/plan.json"] == (UNKNOWN,)
    assert UNKNOWN in said
    assert "s/seed1/final/summary.json" in found


def test_missing_and_damaged_files_are_left_to_others(copy):
    (copy / "s/seed1/generation01/plan.json").unlink()
    (copy / "s/seed1/split.json").write_text("{}")
    assert outdated(configure(copy)) == ({}, "")
    found, said = outdated(configure(copy), compare_code=False, complete=True)
    assert "generation01/plan.json is missing" in said
    assert "s/seed1/generation01/winners.json" in found


def test_results_under_another_name_are_plotted_again(copy):
    """Titles name the search; a seed decides all that is random."""
    (copy / "s").rename(copy / "renamed")
    config = loading.load({"results": str(copy), "searches": {"renamed": SEARCH}}, SCHEMA)
    found, said = outdated(config)
    assert set(found) == {"renamed/seed1/plots/checksums.json"}
    assert 'search is "s" there, "renamed" in the configuration' in said
    (copy / "renamed/seed1").rename(copy / "renamed/seed2")
    config = {"results": str(copy), "searches": {"renamed": SEARCH | {"seeds": [2]}}}
    found, said = outdated(loading.load(config, SCHEMA))
    assert "seed is 1 there, 2 in the configuration" in said
    assert "renamed/seed2/split.json" in found


def own_data(folder, seed):
    rng = np.random.default_rng(seed)
    path = folder / "mine.npz"
    np.savez(path, x_train=rng.random((30, 4)), y_train=rng.integers(0, 2, 30))
    return path


def test_other_data_are_found_whatever_their_date(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = own_data(tmp_path, 0)

    def config(path="mine.npz"):
        top = {"datasets": {"mine": {"source": "npz", "path": str(path)}}}
        return configure(tmp_path / "results", top, dataset="mine")

    Chain(config()).write()
    os.utime(path)
    assert outdated(config()) == ({}, "")
    (tmp_path / "link.npz").symlink_to(path)
    for same in (path, "./mine.npz", "link.npz", shutil.copy(path, tmp_path / "moved.npz")):
        assert outdated(config(same)) == ({}, "")
    dates = path.stat()
    own_data(tmp_path, 1)
    for old in (dates.st_mtime_ns, 0):
        os.utime(path, ns=(old, old))
        found, said = outdated(config())
        assert "results/_data/mine: its files hold other data" in said
        assert "s/seed1/generation00/warm-up.json" in found


def test_checksums_of_data_are_kept(tmp_path, monkeypatch):
    path = own_data(tmp_path, 0)
    top = {"datasets": {"mine": {"source": "npz", "path": str(path)}}}
    config = configure(tmp_path / "results", top, dataset="mine")
    Chain(config).write()
    first = OutdatedFiles(config)
    assert first.find() == []
    first.save_known_files()
    monkeypatch.setattr("netsurgery.datasets.content.sha256", lambda _: 1 / 0)
    assert outdated(config) == ({}, "")  # nothing is read again


def test_data_files_that_are_not_there_tell_nothing(tmp_path):
    """In a workflow that imports this one, another rule may make them, and remove them again."""
    path = own_data(tmp_path, 0)
    top = {"datasets": {"mine": {"source": "npz", "path": str(path)}}}
    config = configure(tmp_path / "results", top, dataset="mine")
    Chain(config).write()
    path.unlink()
    assert outdated(config) == ({}, "")


def test_another_content_of_the_model_redoes_all_but_another_path_nothing(tmp_path, monkeypatch):
    shape = topologies.build(topologies.named("ff-small"), (8, 8, 1), 10)

    def read(path, where):
        return StartingModel(path, Path(path).read_text(), shape, {})

    monkeypatch.setattr(search_section, "read_model", read)
    for name, content in (("a.keras", "1"), ("b.keras", "1"), ("c.keras", "2")):
        (tmp_path / name).write_text(content)
    made = Chain(configure(tmp_path / "results", topology=str(tmp_path / "a.keras"))).write()
    found, _ = outdated(configure(made.results, topology=str(tmp_path / "b.keras")))
    assert "s/seed1/generation00/warm-up.json" not in found
    found, _ = outdated(configure(made.results, topology=str(tmp_path / "c.keras")))
    assert "topology.model is" in found["s/seed1/generation00/warm-up.json"][0]
