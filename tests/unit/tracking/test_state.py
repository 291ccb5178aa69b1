"""The tracking state queues searches that could not be logged."""

import pytest

from netsurgery.tracking import state
from netsurgery.tracking.state import TrackingState, pending_message


@pytest.fixture
def tracking(tmp_path):
    return TrackingState(tmp_path)


def test_an_identity_is_generated_once(tracking, tmp_path):
    assert tracking.identity is None
    generated = tracking.set_identity(None)
    assert len(generated) == 32
    assert TrackingState(tmp_path).identity == generated


def test_an_identity_is_kept_with_the_requests(tracking):
    generated = tracking.set_identity(None)
    tracking.save_request("a", 1, {})
    (tracking.folder / "identity").unlink()
    assert tracking.identity == generated
    (tracking.folder / "a.seed1.json").write_text("{")
    assert tracking.identity is None


def test_requests_are_kept_by_search_and_seed(tracking):
    for search, seed, until in (("b", 0, "01"), ("a", 1, "00"), ("b", 0, "final")):
        tracking.save_request(search, seed, {"search": search, "until": until})
    (tracking.folder / "c.seed0.json").write_text("damaged")
    assert [(each["search"], each["until"]) for each in tracking.requests()] == [
        ("a", "00"),
        ("b", "final"),
    ]


def test_a_failed_search_is_pending_until_it_is_synced(tracking, tmp_path):
    assert pending_message(tmp_path) is None
    for number in range(5):
        tracking.mark_failed(f"s{number}/seed0", "01", "it does not answer", None)
    assert pending_message(tmp_path) == (
        "MLflow: it does not answer; the next run, or `make track`, logs "
        "s0/seed0, s1/seed0, s2/seed0 and 2 more"
    )
    for number in range(5):
        tracking.mark_synced(f"s{number}/seed0")
    assert pending_message(tmp_path) is None


def test_failures_and_new_stores_change_the_revision(tracking):
    revisions = [tracking.revision("s/seed0")]
    tracking.mark_failed("s/seed0", "01", "gone", None)  # logged with the next generation
    assert tracking.revision("s/seed0") == revisions[0]
    for change in (
        lambda: tracking.mark_failed("s/seed0", "final", "gone", None),
        tracking.mark_new_store,
    ):
        change()
        revisions.append(tracking.revision("s/seed0"))
    assert len(set(revisions)) == len(revisions)


def test_an_outage_holds_for_one_workflow_and_a_minute(tracking, monkeypatch):
    tracking.mark_failed("s/seed0", "01", "gone", "workflow 1")
    assert tracking.outage("workflow 1") == "gone"
    assert tracking.outage("workflow 2") is None
    monkeypatch.setattr(state, "RETRY_AFTER", -1.0)
    assert tracking.outage("workflow 1") is None


def test_a_damaged_state_is_an_empty_one(tracking):
    tracking.mark_failed("s/seed0", "final", "gone", "workflow 1")
    (tracking.folder / "pending.json").write_text("{")
    assert tracking.pending() == {}
    assert tracking.revision("s/seed0") == 0
