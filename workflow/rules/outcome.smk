"""What a finished search leaves: its lineage and its summary."""


rule conclude:
    input:
        decided,
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
        "python -S -m netsurgery.trainer.client jobs conclude --folder {params.folder} --settings {params.settings:q}"
        " --seed {wildcards.seed} > {log} 2>&1"
