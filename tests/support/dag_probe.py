"""Runs Snakemake and writes what it holds after each plan: `dag_probe.py OUTPUT ARGUMENT ...`.

Each line of OUTPUT is JSON. `planned` is the rule and seed of the plan, `replaced` those of each
job that the plan replaced. `jobs` is how many jobs the DAG has, `numbers` how many different
numbers they have, and `memory` how many jobs there are in memory.
"""

import gc
import json
import sys
from pathlib import Path

from snakemake import cli
from snakemake.dag import DAG
from snakemake.jobs import Job

output = Path(sys.argv[1])
finish, updated = DAG.finish, Job.updated
replaced: list[list[str]] = []


def name_of(job: Job) -> list[str]:
    """Return a job's rule, and the seed of its search."""
    return [job.rule.name, job.wildcards_dict.get("seed", "")]


async def probed_update(job: Job) -> Job:
    """Note a job that is replaced."""
    replaced.append(name_of(job))
    return await updated(job)


async def probed_finish(dag: DAG, job: Job, *arguments: object, **options: object) -> bool:
    """Write what is there when a plan is done."""
    replaced.clear()
    result = await finish(dag, job, *arguments, **options)
    if job.is_checkpoint:
        gc.collect()
        state = {
            "planned": name_of(job),
            "replaced": replaced,
            "jobs": len(dag.jobs),
            "numbers": len({each.jobid for each in dag.jobs}),
            "memory": sum(type(each) is Job for each in gc.get_objects()),
        }
        with output.open("a") as file:
            file.write(json.dumps(state) + "\n")
    return result


Job.updated, DAG.finish = probed_update, probed_finish
cli.main(sys.argv[2:])
