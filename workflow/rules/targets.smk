"""What the workflow is to make of each search: its files, and its place in MLflow."""

from types import SimpleNamespace

from snakemake.exceptions import IncompleteCheckpointException


def finished(name, seed):
    """A function that gives all files of a finished search: what `all` wants of it."""
    wildcards = SimpleNamespace(search=name, seed=seed)

    def files(_):
        folder = folder_of(wildcards)
        final = ("model.keras", "summary.json", "README.md", "errors.json", "exports.json")
        ends = [*(folder.final / name for name in final), folder.lineage]
        return decided(wildcards) + audited(wildcards) + list(map(str, ends))

    return files


def markers(wildcards, planned):
    """The markers of the start and of planned generations, in order.

    None for a baseline: its start is its end.
    """
    if search_of(wildcards).algorithm == "baseline":
        return []
    numbers = [0, *(plan["generation"] for plan in planned if plan["action"] != FINISH)]
    return [str(folder_of(wildcards).generation(number) / "tracked.json") for number in numbers]


def tracked(name, seed):
    """A function that gives the store and, of a search, all markers whose generation is planned.

    It does not wait for plans to come, so that MLflow shows a search while it goes on.
    """
    wildcards = SimpleNamespace(search=name, seed=seed)

    def files(_):
        planned, ends = [], []
        try:
            for plan in plans_of(wildcards):
                planned.append(plan)
            ends = [str(folder_of(wildcards).final / "tracked.json")]
        except IncompleteCheckpointException:
            pass  # the plans to come add theirs
        return [f"{RESULTS}/mlflow.db", *markers(wildcards, planned), *ends]

    return files
