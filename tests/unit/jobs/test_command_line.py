"""Command lines as tables."""

import pytest

from netsurgery.jobs.command_line import Choice, Command, Several, make_parser, run

CALLS: list[dict] = []
COMMANDS = {
    "add": Command(lambda **given: CALLS.append(given), numbers=Several(int), as_text=str),
    "wait": Command(lambda **given: CALLS.append(given), steps=Several(str, at_least=0)),
}


@pytest.fixture(autouse=True)
def calls():
    CALLS.clear()
    return CALLS


def test_a_command_gets_its_options(calls):
    run(COMMANDS, "test", ["add", "--numbers", "1", "2", "--as-text", "x"])
    assert calls == [{"numbers": [1, 2], "as_text": "x"}]


def test_an_option_may_have_no_value(calls):
    run(COMMANDS, "test", ["wait", "--steps"])
    assert calls == [{"steps": []}]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["add", "--numbers", "1"],
        ["add", "--numbers", "one", "--as-text", "x"],
        ["add", "--num", "1", "--as-text", "x"],
        ["wait"],
    ],
)
def test_a_wrong_command_line_ends_with_usage(arguments, calls, capsys):
    with pytest.raises(SystemExit) as end:
        run(COMMANDS, "test", arguments)
    assert end.value.code == 2
    assert "usage: test" in capsys.readouterr().err
    assert calls == []


def test_common_options_belong_to_every_command():
    parser = make_parser("test", COMMANDS, {"seed": int, "failure": Choice(("crashed",))})
    given = parser.parse_args(["wait", "--steps", "--seed", "3"])
    assert (given.seed, given.failure) == (3, None)
    assert COMMANDS["wait"].values(given) == {"steps": []}
    with pytest.raises(SystemExit):
        parser.parse_args(["wait", "--steps", "--seed", "3", "--failure", "tired"])
