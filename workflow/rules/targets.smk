"""What the workflow is to make of each search: its files, and its place in MLflow."""

from types import SimpleNamespace

from snakemake.exceptions import IncompleteCheckpointException


def finished(name, seed):
    """A function that gives all files of a finished search: what `all` wants of it.

    All, for what is damaged is taken away, and Snakemake misses only what is wanted itself.
    """
    wildcards = SimpleNamespace(search=name, seed=seed)

    def files(_):
        folder = folder_of(wildcards)
        named = ("model.keras", "network.keras", "network.json", "preprocessing.json", "test.json")
        ends = [folder.final / name for name in (*named, "summary.json")]
        begins = [*samples(wildcards).values(), folder.root / "split.json"]
        found = decided(wildcards) + audited(wildcards)
        return found + list(map(str, [*begins, *ends, folder.lineage]))

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
