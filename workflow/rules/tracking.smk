"""MLflow shows what the records say. Nothing of a search waits for these jobs."""


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
        "python -S -m netsurgery.trainer.client jobs store --results {params.results} > {log} 2>&1"


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
        settings=lambda w, output: all_settings(w),
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: generation {wildcards.generation} to MLflow"
    shell:
        "python -S -m netsurgery.trainer.client jobs track --folder {params.folder} --until {wildcards.generation}"
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
        settings=all_settings,
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: summary to MLflow"
    shell:
        "python -S -m netsurgery.trainer.client jobs track --folder {params.folder} --until final"
        " --settings {params.settings:q} --seed {wildcards.seed} --output {output} > {log} 2>&1"
