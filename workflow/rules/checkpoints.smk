"""The plans that decide which jobs follow: only Snakemake can wait for them."""

from snakemake.exceptions import IncompleteCheckpointException


def generation_plan(search, seed, generation):
    """Name the plan of a generation of ECToNAS; Snakemake waits for it if it is not there."""
    return checkpoints.plan_generation.get(
        search=search, seed=seed, generation=f"{generation:02d}"
    ).output[0]


def try_plan(search, seed, generation, attempt):
    """Name the plan of a try of the Surgeon; Snakemake waits for it if it is not there."""
    return checkpoints.plan_try.get(
        search=search, seed=seed, generation=f"{generation:02d}", attempt=attempt
    ).output[0]
