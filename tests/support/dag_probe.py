"""Runs Snakemake, and tells after each plan what it keeps of its graph: `dag_probe.py OUT ...`.

A line of JSON each: which search was planned, the jobs made anew for it, the jobs of the graph, how
many different numbers they have, and how many jobs there are in memory.
"""

import gc
import json
import sys
from pathlib import Path

from snakemake import cli
from snakemake.dag import DAG
from snakemake.jobs import Job

out = Path(sys.argv[1])
finish, updated = DAG.finish, Job.updated
anew: list[list[str]] = []


def name_of(job: Job) -> list[str]:
    """Its rule, and the seed of its search."""
    return [job.rule.name, job.wildcards_dict.get("seed", "")]


async def watched_update(job: Job) -> Job:
    """Remember which job is made anew."""
    anew.append(name_of(job))
    return await updated(job)


async def watched_finish(graph: DAG, job: Job, *given: object, **named: object) -> bool:
    """Tell what is there when a plan is done."""
    anew.clear()
    found = await finish(graph, job, *given, **named)
    if job.is_checkpoint:
        gc.collect()
        told = {
            "planned": name_of(job),
            "anew": anew,
            "graph": len(graph.jobs),
            "numbers": len({each.jobid for each in graph.jobs}),
            "memory": sum(type(each) is Job for each in gc.get_objects()),
        }
        with out.open("a") as file:
            file.write(json.dumps(told) + "\n")
    return found


Job.updated, DAG.finish = watched_update, watched_finish
cli.main(sys.argv[2:])
