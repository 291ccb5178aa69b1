"""A training step in a process of its own."""

from __future__ import annotations

from netsurgery.trainer.imports import for_training
from netsurgery.trainer.lifeline import die_with_workflow


def main() -> None:
    """Run the step that the command line says."""
    die_with_workflow()
    with for_training():
        from netsurgery.jobs import training_steps

    training_steps.main()


if __name__ == "__main__":
    main()
