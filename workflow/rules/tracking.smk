"""MLflow shows what the records say. Nothing of a search waits for these jobs."""

from snakemake.exceptions import IncompleteCheckpointException


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


def told(wildcards):
    """What a generation tells MLflow, and the marker of the one before: they go in order."""
    folder, generation = folder_of(wildcards), int(wildcards.generation)
    if generation == 0:
        return [str(folder.record(0, WARM_UP)), str(folder.winners(0))]
    return [
        str(folder.generation(generation - 1) / "tracked.json"),
        str(folder.plan(generation)),
        *(str(folder.record(generation, step)) for step in folder.steps(plan_of(wildcards))),
        str(folder.winners(generation)),
    ]


rule open_store:
    output:
        update(f"{RESULTS}/mlflow.db"),
    log:
        f"{RESULTS}/_logs/mlflow.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        results=subpath(output[0], parent=True),
    message:
        "create the MLflow store"
    shell:
        "python -m netsurgery.jobs store --results {params.results} > {log} 2>&1"


# the store changes with every job, so its time says nothing; but if it is lost, all is told again
rule track_generation:
    input:
        told,
        store=ancient(f"{RESULTS}/mlflow.db"),
    output:
        f"{GENERATION}/tracked.json",
    log:
        f"{LOGS}/generation{{generation}}/tracked.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        # `output` keeps changed settings from being a reason to rerun: those that matter to a
        # generation redo its records, and a raised budget is to leave it alone
        settings=lambda w, output: json.dumps(dict(search_of(w).settings)),
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: generation {wildcards.generation} to MLflow"
    shell:
        "python -m netsurgery.jobs track --folder {params.folder} --until {wildcards.generation}"
        " --settings {params.settings:q} --seed {wildcards.seed} --output {output} > {log} 2>&1"


rule track_search:
    input:
        lambda w: markers(w, plans_of(w)),
        summary=f"{SEARCH}/final/summary.json",
        record=f"{SEARCH}/final/network.json",
        lineage=f"{SEARCH}/lineage.csv",
        store=ancient(f"{RESULTS}/mlflow.db"),
    output:
        f"{SEARCH}/final/tracked.json",
    log:
        f"{LOGS}/tracked.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        settings=lambda w: json.dumps(dict(search_of(w).settings)),
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: summary to MLflow"
    shell:
        "python -m netsurgery.jobs track --folder {params.folder} --until final"
        " --settings {params.settings:q} --seed {wildcards.seed} --output {output} > {log} 2>&1"
