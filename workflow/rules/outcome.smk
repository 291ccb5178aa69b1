"""What a finished search leaves: its lineage, its summary, and what goes with the model."""


rule conclude:
    input:
        decided,
        settled,
        record=f"{SEARCH}/final/network.json",
        test=f"{SEARCH}/final/test.json",
    output:
        lineage=f"{SEARCH}/lineage.csv",
        summary=f"{SEARCH}/final/summary.json",
    log:
        f"{LOGS}/conclude.log",
    conda:
        "../../environment.yml"
    params:
        settings=all_settings,
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: lineage and summary"
    shell:
        "python -S -m netsurgery.processes.client jobs conclude --folder {params.folder} --settings {params.settings:q}"
        " --seed {wildcards.seed} > {log} 2>&1"


rule hand_over:
    input:
        unpack(samples),
        model=f"{SEARCH}/final/model.keras",
        network=f"{SEARCH}/final/network.keras",
        summary=f"{SEARCH}/final/summary.json",
    output:
        card=f"{SEARCH}/final/README.md",
        errors=f"{SEARCH}/final/errors.json",
        exports=f"{SEARCH}/final/exports.json",
    log:
        f"{LOGS}/hand_over.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=more(2000),
        runtime=more(20),
    params:
        settings=all_settings,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: model card and exports"
    shell:
        "python -S -m netsurgery.processes.client training hand-over --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --step final --output {output.card} > {log} 2>&1"
