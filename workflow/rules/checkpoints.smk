"""The plans that decide which jobs follow: only Snakemake can wait for them."""

from snakemake.exceptions import IncompleteCheckpointException


def find_checkpoint(name):
    """Return a checkpoint of this workflow.

    In a module, `use rule` of single rules parses this file again and gives it a new, empty
    `checkpoints`; the checkpoints are in that of an earlier time.
    """
    return next(getattr(each, name) for each in session.checkpoints if hasattr(each, name))


def generation_plan(rule, search, seed, generation):
    """Name the plan of a generation that a rule writes; Snakemake waits for it if it is not there."""
    plan = find_checkpoint(rule)
    return plan.get(search=search, seed=seed, generation=f"{generation:02d}").output[0]


def try_plan(search, seed, generation, attempt):
    """Name the plan of a try of the Surgeon; Snakemake waits for it if it is not there."""
    plan = find_checkpoint("plan_try")
    return plan.get(
        search=search, seed=seed, generation=f"{generation:02d}", attempt=attempt
    ).output[0]
