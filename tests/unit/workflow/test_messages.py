"""What a run tells its user."""

import pytest

from netsurgery.storage.files import write_json
from netsurgery.workflow import messages


@pytest.mark.parametrize(
    "form",
    ["Logfile {}:\n", "    log: {} (check log file(s) for error details)\n"],
    ids=["our profile", "other profiles"],
)
def test_each_failed_job_is_explained_once_by_its_last_line(tmp_path, capsys, form):
    for name, text in {"a": "x\nfirst\n", "b": "y\nfirst\n\n", "c": "", "d": "second"}.items():
        (tmp_path / name).write_text(text)
    own = tmp_path / "snakemake.log"
    own.write_text("".join(f"...\n{form.format(tmp_path / name)}" for name in "abcd"))
    assert messages.last_lines([str(own)]) == ["first", "second"]
    messages.print_failures([str(own)], tmp_path)
    assert capsys.readouterr().err.splitlines() == [
        "first",
        "second",
        "when the problem is fixed, run the same command again: finished work is kept",
        f"netsurgery report {tmp_path} shows what is finished and what is missing",
    ]


def test_nothing_is_said_when_all_is_logged(tmp_path, capsys):
    messages.print_pending_tracking(tmp_path)
    assert capsys.readouterr().err == ""


def test_networks_no_better_than_a_guess_are_named(tmp_path, capsys):
    for seed in range(8):
        summary = {"seed": seed, "warning": "it guesses" if seed != 3 else None}
        write_json(tmp_path / "s" / f"seed{seed}" / "final" / "summary.json", summary)
    messages.print_useless_networks(tmp_path, [("s", seed) for seed in range(7)])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{tmp_path}/s/seed0: no better than a guess: it guesses"
    assert len(lines) == 6
    assert lines[-1] == f"and 1 more: netsurgery results {tmp_path} lists them"
    messages.print_useless_networks(tmp_path, [("s", 3)])
    assert not capsys.readouterr().err
