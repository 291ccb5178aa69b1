"""The Surgeon's decision points. Every try's plan is a checkpoint: scores decide what follows."""


checkpoint plan_try:
    input:
        unpack(known_to_try),
    output:
        f"{GENERATION}/try{{attempt}}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/try{{attempt}}/plan.log",
    conda:
        "../../environment.yml"
    params:
        settings=settings(configuration.DECIDING),
        allowance=allowance_of_try,
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: {wildcards.generation}/try{wildcards.attempt}"
    shell:
        "python -m netsurgery.jobs plan-try --folder {params.folder}"
        " --generation {wildcards.generation} --attempt {wildcards.attempt}"
        " --settings {params.settings:q} --seed {wildcards.seed}"
        " --allowance {params.allowance:q} > {log} 2>&1"


rule analyse:
    input:
        branches_of,
    output:
        f"{GENERATION}/singular_values.json",
    log:
        f"{LOGS}/generation{{generation}}/singular_values.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        version=netsurgery.__version__,
    message:
        "{wildcards.search} seed {wildcards.seed}: singular values for {wildcards.generation}"
    shell:
        "python -m netsurgery.trainer.client analyse --models {input} --output {output}"
        " > {log} 2>&1"


rule train_on:
    input:
        unpack(samples),
        unpack(competitors_of),
    output:
        model=f"{GENERATION}/try{{attempt}}/slot{{rank}}.keras",
        record=f"{GENERATION}/try{{attempt}}/slot{{rank}}.json",
    log:
        f"{LOGS}/generation{{generation}}/try{{attempt}}/slot{{rank}}.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        settings=settings(configuration.TRAINING),
        batches=lambda w: try_of(w)["step_batches"],
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " {wildcards.generation}/try{wildcards.attempt}/slot{wildcards.rank}"
    shell:
        "python -m netsurgery.trainer.client train-on --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --models {input.models} --rank {wildcards.rank} --batches {params.batches}"
        " --step try{wildcards.attempt}/slot{wildcards.rank} --output {output.model} > {log} 2>&1"


rule gather:
    input:
        lambda w: tries_of(w),
    output:
        f"{GENERATION}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/plan.log",
    wildcard_constraints:
        search=searches_by("surgeon"),
    conda:
        "../../environment.yml"
    params:
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: decision {wildcards.generation}"
    shell:
        "python -m netsurgery.jobs gather --folder {params.folder}"
        " --generation {wildcards.generation} > {log} 2>&1"
