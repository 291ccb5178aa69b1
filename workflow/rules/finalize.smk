"""What a finished search leaves: its lineage and summary, a model card and exports."""


rule summarize_search:
    input:
        inputs.decision_files,
        no_files,
        record=f"{SEARCH}/final/network.json",
        test=f"{SEARCH}/final/test.json",
    output:
        lineage=f"{SEARCH}/lineage.csv",
        front=f"{SEARCH}/front.csv",
        summary=f"{SEARCH}/final/summary.json",
    log:
        f"{LOGS}/summary.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("summarize_search"),
        settings=parameters.result_settings,
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}: write lineage, front and summary"
    shell:
        job(
            "summarize_search",
            "--folder {params.folder} --settings {params.settings:q} --seed {wildcards.seed}"
            " --dependencies {params.dependencies:q}",
        )


rule export_model:
    input:
        unpack(inputs.samples),
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
        dependencies=dependencies.of("export_model"),
        settings=parameters.result_settings,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: write the model card and export the model"
    shell:
        tensorflow_job("export_model", "--step final --output {output.card}")
