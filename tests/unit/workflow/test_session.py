"""A run from its start to its end."""

from types import SimpleNamespace

import pytest
import yaml

from netsurgery.storage.files import write_json
from netsurgery.storage.locking import ResultsLock
from netsurgery.workflow import session as sessions
from netsurgery.workflow.session import Session, join_session
from tests.support.workflow_searches import make_searches

GIVEN = {
    "searches": {
        "s": {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small", "seeds": [0]}
    }
}


@pytest.fixture(autouse=True)
def watched(monkeypatch):
    """Calls that would take signals from the test run."""
    calls = []
    monkeypatch.setattr(sessions.Interruption, "watch", lambda _, has_jobs: calls.append(has_jobs))
    monkeypatch.setattr(sessions.Interruption, "notice", lambda _: calls.append("notice"))
    return calls


@pytest.fixture
def launched(monkeypatch):
    """Calls that would start servers, of which none are in reach."""
    calls = []
    monkeypatch.setattr(sessions, "launch", lambda *given: calls.append(given) or {})
    monkeypatch.setattr(sessions, "in_reach", lambda: bool(calls))
    return calls


def session(
    results,
    cores_per_search=0,
    main=True,
    dry=False,
    local=True,
    planned=False,
    call=None,
    **top,
):
    forced = []
    snakemake = SimpleNamespace(
        force=forced.extend,
        forced=forced,
        is_main=main,
        is_imported=call is not None,
        is_cluster_job=False,
        call=call,
        is_dry=dry,
        runs_locally=local,
        plans_rule=lambda _: planned,
        speed_up=lambda: None,
        silence=lambda: None,
    )
    config = make_searches(results, GIVEN["searches"], **top).config
    return Session(config, GIVEN, snakemake, cores_per_search)


def damage(results):
    """A record that was written and then damaged."""
    path = results / "s" / "seed0" / "lineage.json"
    write_json(path, {"a": 1})
    path.write_text(path.read_text().replace("1", "2"))
    return path


@pytest.mark.parametrize("dry", [False, True])
def test_artifacts_follow_a_moved_store_when_a_run_starts(tmp_path, monkeypatch, dry):
    places = []
    monkeypatch.setattr(sessions.mlflow_sqlite, "relocate_artifacts", places.append)
    session(tmp_path, dry=dry).prepare()
    assert places == ([] if dry else [tmp_path / "mlflow.db"])


def test_damaged_files_are_named_and_removed_once(tmp_path, capsys):
    path = damage(tmp_path)
    run = session(tmp_path)
    run.prepare()
    run.prepare()
    assert not path.exists()
    assert capsys.readouterr().err.count("lineage.json: damaged") == 1


def test_files_of_earlier_versions_are_named_and_removed(tmp_path, capsys):
    old = [tmp_path / f"s/seed0/generation0{number}/plan.json" for number in (1, 2)]
    for path in old:
        write_json(path, {"kind": "final"})
    session(tmp_path).prepare()
    assert not any(path.exists() for path in old)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{tmp_path}/s/seed0: an earlier version of netsurgery did not record" in said


def test_the_marker_of_a_search_goes_with_its_files(tmp_path, capsys):
    """Snakemake, which may have lost its memory, takes a search with a marker for finished."""
    marker = tmp_path / "_runs/s/seed0.done"
    marker.parent.mkdir(parents=True)
    marker.touch()
    write_json(tmp_path / "s/seed0/generation01/plan.json", {"kind": "final"})
    dry = session(tmp_path, dry=True)
    dry.prepare()
    assert marker in dry.snakemake.forced
    session(tmp_path).prepare()
    assert not marker.exists()


def test_a_dry_run_names_damaged_files_and_keeps_them(tmp_path, capsys):
    path = damage(tmp_path)
    run = session(tmp_path, dry=True)
    run.prepare()
    assert path.exists()
    assert run.snakemake.forced == [path]
    assert "lineage.json: damaged" in capsys.readouterr().err


@pytest.mark.parametrize("other", [{"main": False}])
def test_jobs_repair_nothing(tmp_path, other, capsys):
    path = damage(tmp_path)
    session(tmp_path, **other).prepare()
    assert path.exists()
    assert capsys.readouterr().err == ""


def test_nothing_is_repaired_while_another_run_has_the_folder(tmp_path, launched, capsys):
    lock = ResultsLock(tmp_path)
    path = damage(tmp_path)
    run = session(tmp_path)
    run.prepare()
    assert path.exists()
    with pytest.raises(SystemExit):
        run.start()
    assert str(tmp_path) in capsys.readouterr().err
    lock.file.close()


def test_a_start_locks_the_folder_and_starts_servers(tmp_path, launched):
    run = session(tmp_path)
    run.start()
    assert len(launched) == 1
    assert launched[0][1] == {"training", "jobs"}
    assert (tmp_path / "searches.json").exists()
    assert len(run.locks) == 1


def test_searches_with_a_process_each_get_a_config(tmp_path, launched):
    run = session(tmp_path, cores_per_search=2)
    run.start()
    written = yaml.safe_load((tmp_path / "_runs" / "config.yaml").read_text())
    assert written == GIVEN | {"cores_per_search": 0, "results": str(tmp_path)}
    assert len(run.locks) == 2
    with pytest.raises(SystemExit):  # a second one that drives
        session(tmp_path, cores_per_search=2).start()
    session(tmp_path, only_run="s/0").start()  # a run of a single search shares the folder


def test_an_imported_workflow_starts_once_however_it_is_called(tmp_path, launched):
    called = []
    run = session(tmp_path, call=lambda *functions: called.append(functions))
    run.prepare()
    run.prepare()
    ((start, _, _),) = called
    start()
    run.start()
    assert len(launched) == len(run.locks) == 1


@pytest.mark.parametrize("imported", [True, False])
def test_signals_are_left_to_a_workflow_that_imports_this_one(
    tmp_path, launched, watched, imported
):
    run = session(tmp_path, call=(lambda *functions: None) if imported else None)
    run.join_parent()
    run.start()
    assert watched == (["notice"] if imported else [False, True])


@pytest.mark.parametrize("imported", [True, False])
def test_a_stopped_run_is_no_failure(tmp_path, capsys, imported):
    run = session(tmp_path, call=(lambda *functions: None) if imported else None)
    run.interruption.began = 1.0
    run.fail([])
    said = capsys.readouterr().err  # unless the signal itself has said so
    assert said == (f"{sessions.STOPPED}\n" if imported else "")


def test_two_imported_workflows_share_their_servers(tmp_path, launched):
    for name in ("one", "two"):
        session(tmp_path / name).start()
    assert len(launched) == 1


def test_an_end_is_reported_once(tmp_path, capsys):
    run = session(tmp_path)
    run.fail([])
    run.fail([])
    run.succeed()
    assert capsys.readouterr().err.count("run the same command again") == 1


def test_each_parse_of_a_workflow_has_the_same_session(tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "_sessions", {})
    made = session(tmp_path)
    given = made.config, GIVEN, made.snakemake, 0
    assert join_session(*given) is join_session(*given)
    other = make_searches(tmp_path / "other", GIVEN["searches"]).config
    assert join_session(other, *given[1:]) is not join_session(*given)


@pytest.mark.parametrize("options", [{}, {"only_run": "s/0"}])
def test_a_run_uses_the_servers_in_reach(tmp_path, launched, monkeypatch, options):
    monkeypatch.setattr(sessions, "in_reach", lambda: True)
    session(tmp_path, **options).start()
    assert launched == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"planned": True, "cores_per_search": 1}, "with --config cores_per_search=0"),
        ({"local": False}, "with --config cores_per_search=4"),
        ({}, None),
    ],
)
def test_a_run_says_how_searches_run(tmp_path, launched, capsys, options, message):
    session(tmp_path, **options).start()
    said = capsys.readouterr().err
    assert (message in said) if message else not said
