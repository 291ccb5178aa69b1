"""Has Snakemake let go of the jobs that it has replaced, while a long search runs.

After a plan, Snakemake makes the jobs that waited for it anew. The old ones stay in its books, with
every file that they named, and are never looked at again. In ten searches at once they were as many
as the jobs of the graph.
"""

from __future__ import annotations

from typing import Any


class Replaced:
    """Stands in the book of numbers for a job that was replaced."""

    __slots__ = ()


class ReplacedJobPruner:
    """Clears a graph's books; Snakemake calls `process` after every change of the graph.

    Args:
        dag: Snakemake's graph, of version 9.

    Raises:
        AttributeError: it keeps other books.
    """

    def __init__(self, dag: Any) -> None:
        self.dag = dag
        self.numbers, self.priorities = dag._jobid, dag._priority
        self.makers = dag._seen_outputs
        self.checked = [dag._checked_jobs, dag._checked_needrun_jobs]
        self.checked += [each.processed_jobs for each in dag.dag_processors]

    def process(self) -> None:
        """Let go of what is not in the graph while another job there has its number.

        A new job's number is how many are in their book: what is taken out has to leave a gap.
        """
        successors = {self.numbers[job]: job for job in self.dag.jobs}
        replaced = [
            job
            for job, number in self.numbers.items()
            if number in successors and successors[number] is not job
            if not isinstance(job, Replaced)
        ]
        for job in replaced:
            number = self.numbers.pop(job)
            self.numbers[Replaced()] = number
            self.priorities.pop(job, None)
            for file in job.output:
                if self.makers.get(file) is job:
                    self.makers[file] = successors[number]
        for jobs in self.checked:
            jobs.difference_update(replaced)
