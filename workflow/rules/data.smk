"""From a named dataset to what training jobs read."""


rule prepare:
    output:
        data=f"{DATA}/data.json",
        x=f"{DATA}/x.npy",
        y=f"{DATA}/y.npy",
    log:
        f"{RESULTS}/_logs/prepare-{{dataset}}.log",
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        folder=subpath(output.data, parent=True),
    message:
        "prepare {wildcards.dataset}"
    shell:
        "python -m netsurgery.jobs prepare --dataset {wildcards.dataset}"
        " --output {params.folder} > {log} 2>&1"


rule split:
    input:
        data=lambda w: samples(w)["data"],
        y=lambda w: samples(w)["y"],
    output:
        f"{SEARCH}/split.npz",
    log:
        f"{LOGS}/split.log",
    conda:
        "../../environment.yml"
    params:
        settings=settings(configuration.SPLITTING),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: split"
    shell:
        "python -m netsurgery.jobs split --data {params.folder} --settings {params.settings:q}"
        " --seed {wildcards.seed} --output {output} > {log} 2>&1"
