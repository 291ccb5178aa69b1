"""What a finished search leaves: exports, lineage, model card, summary, reference models."""


rule summarize_search:
    input:
        inputs.decision_files,
        no_files,
        record=f"{SEARCH}/final/network.json",
        test=f"{SEARCH}/final/test.json",
        preprocessing=f"{SEARCH}/final/preprocessing.json",
        errors=f"{SEARCH}/final/errors.json",
        exports=f"{SEARCH}/final/exports.json",
    output:
        lineage=f"{SEARCH}/lineage.csv",
        front=f"{SEARCH}/front.csv",
        summary=f"{SEARCH}/final/summary.json",
        card=f"{SEARCH}/final/README.md",
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
        "{wildcards.search} seed {wildcards.seed}: write lineage, front, model card and summary"
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
        test=f"{SEARCH}/final/test.json",
    output:
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
        settings=parameters.settings(()),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: check and export the model"
    shell:
        tensorflow_job("export_model", "--step final --output {output.exports}")


rule train_reference:
    input:
        unpack(inputs.samples),
    output:
        f"{SEARCH}/reference.json",
    log:
        f"{LOGS}/reference.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(60),
    params:
        dependencies=dependencies.of("train_reference"),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: train the reference models"
    shell:
        display_job(
            "train_reference",
            "--data {params.folder} --split {input.split} --seed {wildcards.seed}"
            " --output {output} --dependencies {params.dependencies:q}",
        )
