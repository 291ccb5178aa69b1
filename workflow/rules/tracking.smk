"""MLflow shows what the records say. Nothing of a search waits for these jobs.

They wait for a database or a server more than they compute, so they request no core. They run where
Snakemake runs, so that only this machine has to reach the store.
"""


rule log_generation:
    input:
        inputs.generation_log_inputs,
    output:
        f"{GENERATION}/tracked.json",
    log:
        f"{LOGS}/generation{{generation}}/tracked.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 0
    params:
        # derived, so that a changed setting is no reason to rerun: the settings that matter to a
        # generation redo its records, and a raised budget should leave it alone
        settings=lambda w, output: parameters.result_settings(w),
        folder=parameters.folder,
        tracking=parameters.tracking,
    message:
        "{wildcards.search} seed {wildcards.seed}: log generation {wildcards.generation} to MLflow"
    shell:
        display_job(
            "log_search",
            "--folder {params.folder} --until {wildcards.generation}"
            " --settings {params.settings:q} --seed {wildcards.seed}"
            " --tracking {params.tracking:q} --output {output}",
        )


rule log_search:
    input:
        inputs.tracked_generations,
        inputs.reference,
        no_files,
        summary=f"{SEARCH}/final/summary.json",
        record=f"{SEARCH}/final/network.json",
        model=f"{SEARCH}/final/model.keras",
        lineage=f"{SEARCH}/lineage.csv",
        plots=[f"{SEARCH}/plots/{plot}.svg" for plot in PLOTS],
    output:
        f"{SEARCH}/final/tracked.json",
    log:
        f"{LOGS}/tracked.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 0
    params:
        settings=parameters.result_settings,
        uri=parameters.tracking_uri,
        experiment=CONFIG.tracking["experiment"],
        registered_model=CONFIG.tracking.get("registered_model"),
        revision=parameters.tracking_revision,
        folder=parameters.folder,
        tracking=parameters.tracking,
    message:
        "{wildcards.search} seed {wildcards.seed}: log the finished search to MLflow"
    shell:
        display_job(
            "log_search",
            "--folder {params.folder} --until final"
            " --settings {params.settings:q} --seed {wildcards.seed}"
            " --tracking {params.tracking:q} --output {output}",
        )
