"""What a run tells its user."""

import pytest

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
