"""A training step in a new process, without a warm server."""

from __future__ import annotations

from netsurgery.processes.process_exit import exit_with_workflow
from netsurgery.processes.tensorflow_imports import without_optional_packages


def main() -> None:
    """Run the training step of the command line."""
    exit_with_workflow()
    with without_optional_packages():
        from netsurgery.jobs import training_commands

    training_commands.main()


if __name__ == "__main__":
    main()
