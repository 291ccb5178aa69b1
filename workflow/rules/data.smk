"""Datasets: from their source to the files that training jobs read. Messages go to the user."""


rule prepare_dataset:
    input:
        inputs.dataset_files,
    output:
        data=f"{DATA}/data.json",
        x=f"{DATA}/x.npy",
        y=f"{DATA}/y.npy",
    log:
        f"{RESULTS}/_logs/prepare-{{dataset}}.log",
    priority: 1  # finds invalid data before anything trains
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(120),
    params:
        dependencies=dependencies.of("prepare_dataset"),
        settings=parameters.dataset_settings,
        folder=subpath(output.data, parent=True),
    message:
        "Prepare dataset {wildcards.dataset}"
    shell:
        data_job(
            "prepare_dataset",
            "--dataset {wildcards.dataset} --settings {params.settings:q} --output {params.folder}"
            " --dependencies {params.dependencies:q}",
        )


rule split_dataset:
    input:
        unpack(inputs.prepared_data),
    output:
        split=f"{SEARCH}/split.npz",
        checksum=f"{SEARCH}/split.json",
    log:
        f"{LOGS}/split.log",
    priority: 1
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("split_dataset"),
        settings=parameters.split_settings,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: split the dataset"
    shell:
        data_job(
            "split_dataset",
            "--data {params.folder} --settings {params.settings:q} --seed {wildcards.seed}"
            " --output {output.split} --dependencies {params.dependencies:q}",
        )
