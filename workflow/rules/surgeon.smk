"""The Surgeon's decision points. Every try's plan is a checkpoint: scores decide what follows."""


checkpoint plan_try:
    input:
        unpack(try_inputs),
    output:
        f"{GENERATION}/try{{attempt}}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/try{{attempt}}/plan.log",
    conda:
        "../../environment.yml"
    params:
        settings=settings(configuration.DECIDING),
        allowance=try_allowance,
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: {wildcards.generation}/try{wildcards.attempt}"
    shell:
        "python -S -m netsurgery.processes.client jobs plan_try --folder {params.folder}"
        " --generation {wildcards.generation} --attempt {wildcards.attempt}"
        " --settings {params.settings:q} --seed {wildcards.seed}"
        " --allowance {params.allowance:q} > {log} 2>&1"


rule singular_values:
    input:
        branches_of,
    output:
        f"{GENERATION}/singular_values.json",
    log:
        f"{LOGS}/generation{{generation}}/singular_values.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(20),
    params:
        version=netsurgery.__version__,
    message:
        "{wildcards.search} seed {wildcards.seed}: singular values for {wildcards.generation}"
    shell:
        "python -S -m netsurgery.processes.client jobs singular_values --models {input} --output {output}"
        " > {log} 2>&1"


rule train_branch:
    input:
        unpack(dataset_inputs),
        unpack(competitors_of),
    output:
        model=f"{GENERATION}/try{{attempt}}/slot{{rank}}.keras",
        record=f"{GENERATION}/try{{attempt}}/slot{{rank}}.json",
    log:
        f"{LOGS}/generation{{generation}}/try{{attempt}}/slot{{rank}}.log",
    priority: job_priority
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(120),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        settings=settings(configuration.TRAINING),
        batches=lambda w: try_of(w).step_batches,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " {wildcards.generation}/try{wildcards.attempt}/slot{wildcards.rank}"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " train_branch --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --models {input.models} --rank {wildcards.rank} --batches {params.batches}"
        " --step try{wildcards.attempt}/slot{wildcards.rank} --output {output.model} > {log} 2>&1"


rule merge_tries:
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
        "python -S -m netsurgery.processes.client jobs merge_tries --folder {params.folder}"
        " --generation {wildcards.generation} > {log} 2>&1"


rule decision_report:
    input:
        lambda w: generation_outputs(w)["records"],
        plan=f"{GENERATION}/plan.json",
        values=f"{GENERATION}/singular_values.json",
        branches=lambda w: str(folder_of(w).winners(int(w.generation) - 1)),
    output:
        layers=f"{GENERATION}/layers.csv",
        recommendations=f"{GENERATION}/recommendations.csv",
        picture=report(
            f"{GENERATION}/singular_values.svg",
            caption="../report/singular_values.rst",
            category="Each search",
            subcategory="{search}",
            labels={"seed": "{seed}", "picture": "singular values, decision {generation}"},
        ),
        checksums=f"{GENERATION}/audit.json",
    log:
        f"{LOGS}/generation{{generation}}/decision_report.log",
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        settings=settings(configuration.DECIDING),
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: what decision {wildcards.generation} rests on"
    shell:
        "python -S -m netsurgery.processes.client showing decision_report --folder {params.folder}"
        " --generation {wildcards.generation} --settings {params.settings:q}"
        " --seed {wildcards.seed} > {log} 2>&1"
