"""Command lines as tables: each command names its function and its options."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies

Parse = Callable[[str], Any]  # raises ValueError for text that is no such value


@dataclass(frozen=True)
class Several:
    """An option with several values.

    Args:
        parse: Reads one of them.
        at_least: The smallest number of values, 0 or 1.
    """

    parse: Parse
    at_least: int = 1


@dataclass(frozen=True)
class Choice:
    """An option that may be left out, and is None then.

    Args:
        values: What it may be.
    """

    values: Sequence[str]


@dataclass(frozen=True)
class Default:
    """An option that may be left out.

    Args:
        parse: Reads its value.
        value: Of an option that is left out.
    """

    parse: Parse
    value: Any


Option = Parse | Several | Choice | Default


class Command:
    """A command of a command line.

    Args:
        run: The function of the command; it takes the options as keyword arguments.
        options: What reads each option. All options are required but a `Choice` or `Default`.
    """

    def __init__(self, run: Callable[..., None], **options: Option) -> None:
        self.run = run
        self.options = options

    def values(self, given: argparse.Namespace) -> dict[str, Any]:
        """Return the options of this command in a parsed command line."""
        return {name: getattr(given, name) for name in self.options}


def read_dependencies(text: str) -> Dependencies:
    """Read what the files of a job depend on, from JSON."""
    return Dependencies.from_json(json.loads(text))


# what the workflow says of the files of a job; nothing where a job is started without it
DEPENDENCIES = Default(read_dependencies, NO_DEPENDENCIES)


def make_parser(
    program: str, commands: Mapping[str, Command], common: Mapping[str, Option] | None = None
) -> argparse.ArgumentParser:
    """Make the parser of a command line.

    Args:
        program: The name to show in messages.
        commands: The commands by name.
        common: Options that every command has as well.
    """
    parser = argparse.ArgumentParser(prog=program, allow_abbrev=False)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, command in commands.items():
        added = subparsers.add_parser(name, allow_abbrev=False)
        for option, kind in {**(common or {}), **command.options}.items():
            _add(added, f"--{option.replace('_', '-')}", kind)
    return parser


def _add(parser: argparse.ArgumentParser, flag: str, kind: Option) -> None:
    if isinstance(kind, Choice):
        parser.add_argument(flag, choices=kind.values)
    elif isinstance(kind, Default):
        parser.add_argument(flag, type=kind.parse, default=kind.value)
    elif isinstance(kind, Several):
        count = "+" if kind.at_least else "*"
        parser.add_argument(flag, type=kind.parse, nargs=count, required=True)
    else:
        parser.add_argument(flag, type=kind, required=True)


def run(
    commands: Mapping[str, Command], program: str, arguments: Sequence[str] | None = None
) -> None:
    """Run the command of a command line; by default that of this process."""
    given = make_parser(program, commands).parse_args(arguments)
    command = commands[given.command]
    command.run(**command.values(given))
