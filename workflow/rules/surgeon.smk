"""Decision points of the Surgeon. Every try's plan is a checkpoint: scores decide what follows."""


rule singular_values:
    input:
        unpack(inputs.analysis_inputs),
    output:
        f"{GENERATION}/singular_values.json",
    log:
        f"{LOGS}/generation{{generation}}/singular_values.log",
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(20),
    params:
        dependencies=dependencies.of("singular_values"),
        settings=parameters.analysis,
        samples=parameters.analysis_samples,
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " compute singular values for decision {wildcards.generation}"
    shell:
        job(
            "singular_values",
            "--models {input.models} {params.samples} --settings {params.settings:q}"
            " --seed {wildcards.seed} --output {output} --dependencies {params.dependencies:q}",
        )


checkpoint plan_try:
    input:
        unpack(inputs.try_inputs),
    output:
        f"{GENERATION}/try{{attempt}}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/try{{attempt}}/plan.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("plan_try"),
        settings=parameters.settings(job_settings.DECISION),
        allowance=parameters.try_allowance,
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " plan try {wildcards.attempt} of decision {wildcards.generation}"
    shell:
        job(
            "plan_try",
            "--folder {params.folder} --generation {wildcards.generation}"
            " --attempt {wildcards.attempt} --settings {params.settings:q}"
            " --seed {wildcards.seed} --allowed {params.allowance:q}"
            " --dependencies {params.dependencies:q}",
        )


rule merge_tries:
    input:
        inputs.try_plans,
    output:
        f"{GENERATION}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/plan.log",
    wildcard_constraints:
        search=startup.any_of(searches.of_algorithm("surgeon")),
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("merge_tries"),
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " merge the tries of decision {wildcards.generation}"
    shell:
        job(
            "merge_tries",
            "--folder {params.folder} --generation {wildcards.generation}"
            " --dependencies {params.dependencies:q}",
        )


rule decision_report:
    input:
        inputs.generation_records,
        plan=f"{GENERATION}/plan.json",
        values=f"{GENERATION}/singular_values.json",
        branches=inputs.previous_winners,
    output:
        layers=f"{GENERATION}/layers.csv",
        recommendations=f"{GENERATION}/recommendations.csv",
        plot=report(
            f"{GENERATION}/singular_values.svg",
            caption="../report/singular_values.rst",
            category="Each search",
            subcategory="{search}",
            labels={"seed": "{seed}", "plot": "singular values, decision {generation}"},
        ),
        checksums=f"{GENERATION}/decision_report.json",
    log:
        f"{LOGS}/generation{{generation}}/decision_report.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("decision_report"),
        settings=parameters.settings(job_settings.DECISION),
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}: explain decision {wildcards.generation}"
    shell:
        display_job(
            "decision_report",
            "--folder {params.folder} --generation {wildcards.generation}"
            " --settings {params.settings:q} --seed {wildcards.seed}"
            " --dependencies {params.dependencies:q}",
        )
