"""What a finished search leaves: its lineage, its summary, and what goes with the model."""


rule summarize_search:
    input:
        decision_files,
        no_files,
        record=f"{SEARCH}/final/network.json",
        test=f"{SEARCH}/final/test.json",
    output:
        lineage=f"{SEARCH}/lineage.csv",
        summary=f"{SEARCH}/final/summary.json",
    log:
        f"{LOGS}/summary.log",
    conda:
        "../../environment.yml"
    params:
        settings=result_settings,
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: lineage and summary"
    shell:
        "python -S -m netsurgery.processes.client jobs summarize_search --folder {params.folder} --settings {params.settings:q}"
        " --seed {wildcards.seed} > {log} 2>&1"


rule export_model:
    input:
        unpack(dataset_inputs),
        model=f"{SEARCH}/final/model.keras",
        network=f"{SEARCH}/final/network.keras",
        summary=f"{SEARCH}/final/summary.json",
    output:
        card=f"{SEARCH}/final/README.md",
        errors=f"{SEARCH}/final/errors.json",
        exports=f"{SEARCH}/final/exports.json",
    log:
        f"{LOGS}/export.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(20),
    params:
        settings=result_settings,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: model card and exports"
    shell:
        "python -S -m netsurgery.processes.client training export_model --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --step final --output {output.card} > {log} 2>&1"
