"""From a dataset's source to what training jobs read. What these jobs print is for the user."""


rule prepare_dataset:
    input:
        dataset_files,
    output:
        data=f"{DATA}/data.json",
        x=f"{DATA}/x.npy",
        y=f"{DATA}/y.npy",
    log:
        f"{RESULTS}/_logs/prepare-{{dataset}}.log",
    priority: 1  # wrong data are to be found before anything trains
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(120),
    params:
        version=netsurgery.__version__,
        settings=lambda w: json.dumps(CONFIG.datasets[w.dataset].settings),
        folder=subpath(output.data, parent=True),
    message:
        "prepare {wildcards.dataset}"
    shell:
        "python -S -m netsurgery.processes.client jobs prepare_dataset --dataset {wildcards.dataset}"
        " --settings {params.settings:q} --output {params.folder} 2>&1 | tee {log} >&2"


rule split_dataset:
    input:
        data=lambda w: dataset_inputs(w)["data"],
        x=lambda w: dataset_inputs(w)["x"],
        y=lambda w: dataset_inputs(w)["y"],
    output:
        split=f"{SEARCH}/split.npz",
        checksum=f"{SEARCH}/split.json",
    log:
        f"{LOGS}/split.log",
    priority: 1
    conda:
        "../../environment.yml"
    params:
        settings=settings(configuration.SPLITTING),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: split"
    shell:
        "python -S -m netsurgery.processes.client jobs split_dataset --data {params.folder} --settings {params.settings:q}"
        " --seed {wildcards.seed} --output {output.split} 2>&1 | tee {log} >&2"
