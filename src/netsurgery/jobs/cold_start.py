"""A training step in a process of its own."""

from __future__ import annotations

from netsurgery.processes.process_exit import exit_with_workflow
from netsurgery.processes.tensorflow_imports import without_optional_packages


def main() -> None:
    """Run the step that the command line says."""
    exit_with_workflow()
    with without_optional_packages():
        from netsurgery.jobs import train

    train.main()


if __name__ == "__main__":
    main()
