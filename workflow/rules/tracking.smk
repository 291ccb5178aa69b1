"""MLflow shows what the records say. Nothing of a search waits for these jobs.

They wait for a database or a server more than they compute, so they take no core from training; and
they run where the workflow does, which alone writes to the store and alone has to reach it.
"""


rule log_generation:
    input:
        generation_log_inputs,
    output:
        f"{GENERATION}/tracked.json",
    log:
        f"{LOGS}/generation{{generation}}/tracked.log",
    conda:
        "../../environment.yml"
    threads: 0
    params:
        # `output` keeps changed settings from being a reason to rerun: those that matter to a
        # generation redo its records, and a raised budget is to leave it alone
        settings=lambda w, output: result_settings(w),
        folder=lambda w, output: folder_of(w).root,
        tracking=lambda w, output: json.dumps(CONFIG.tracking),
    message:
        "{wildcards.search} seed {wildcards.seed}: generation {wildcards.generation} to MLflow"
    shell:
        "python -S -m netsurgery.processes.client showing log_search --folder {params.folder} --until {wildcards.generation}"
        " --settings {params.settings:q} --seed {wildcards.seed} --tracking {params.tracking:q}"
        " --output {output} > {log} 2>&1"


rule log_search:
    input:
        lambda w: markers(w, plans_of(w)),
        summary=f"{SEARCH}/final/summary.json",
        record=f"{SEARCH}/final/network.json",
        model=f"{SEARCH}/final/model.keras",
        lineage=f"{SEARCH}/lineage.csv",
        pictures=[f"{SEARCH}/plots/{picture}.svg" for picture in PLOTS],
    output:
        f"{SEARCH}/final/tracked.json",
    log:
        f"{LOGS}/tracked.log",
    conda:
        "../../environment.yml"
    threads: 0
    params:
        settings=result_settings,
        store=store_of,
        experiment=CONFIG.tracking["experiment"],
        register=CONFIG.tracking.get("registered_model"),
        tellings=tracking_revision,
        folder=lambda w, output: folder_of(w).root,
        tracking=lambda w, output: json.dumps(CONFIG.tracking),
    message:
        "{wildcards.search} seed {wildcards.seed}: summary to MLflow"
    shell:
        "python -S -m netsurgery.processes.client showing log_search --folder {params.folder} --until final"
        " --settings {params.settings:q} --seed {wildcards.seed} --tracking {params.tracking:q}"
        " --output {output} > {log} 2>&1"
