"""Decisions of ECToNAS. A plan is a checkpoint, for it depends on what was trained."""


rule init_search:
    input:
        record=f"{SEARCH}/generation00/warm-up.json",
        model=f"{SEARCH}/generation00/warm-up.keras",
    output:
        f"{SEARCH}/generation00/winners.json",
    log:
        f"{LOGS}/generation00/winners.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("init_search"),
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}: make the initial network the first parent"
    shell:
        job("init_search", "--folder {params.folder} --dependencies {params.dependencies:q}")


checkpoint plan_generation:
    input:
        winners=inputs.previous_winners,
    output:
        f"{GENERATION}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/plan.log",
    wildcard_constraints:
        search=startup.any_of(searches.of_algorithm("ectonas")),
        generation=GENERATIONS,
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("plan_generation"),
        settings=parameters.settings(job_settings.GENERATION),
        budget=parameters.generation_budget,
    message:
        "{wildcards.search} seed {wildcards.seed}: plan generation {wildcards.generation}"
    shell:
        job(
            "plan_generation",
            "--winners {input.winners} --generation {wildcards.generation}"
            " --settings {params.settings:q} --seed {wildcards.seed} --budget {params.budget:q}"
            " --output {output} --dependencies {params.dependencies:q}",
        )


rule select_parents:
    input:
        unpack(inputs.generation_outputs),
        plan=f"{GENERATION}/plan.json",
        previous=inputs.previous_winners,
    output:
        f"{GENERATION}/winners.json",
    log:
        f"{LOGS}/generation{{generation}}/winners.log",
    wildcard_constraints:
        generation=GENERATIONS,
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("select_parents"),
        settings=parameters.settings(job_settings.SELECTION),
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " select the parents after generation {wildcards.generation}"
    shell:
        job(
            "select_parents",
            "--folder {params.folder} --generation {wildcards.generation}"
            " --settings {params.settings:q} --seed {wildcards.seed}"
            " --dependencies {params.dependencies:q}",
        )
