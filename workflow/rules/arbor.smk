"""Generations of Arbor: a first look at all growths, a plan, and the training of its networks."""


rule first_look:
    input:
        unpack(inputs.samples),
        winners=inputs.previous_winners,
        models=inputs.previous_models,
    output:
        f"{GENERATION}/first_look.json",
    log:
        f"{LOGS}/generation{{generation}}/first_look.log",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    resources:
        **scheduling.training_resources(minutes=60),
    params:
        dependencies=dependencies.of("first_look"),
        settings=parameters.settings(job_settings.TRAINING),
        growth=parameters.settings(job_settings.GROWTH),
        surgery=parameters.settings(job_settings.SURGERY),
        needed=parameters.is_round,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " look at all growths for round {wildcards.generation}"
    shell:
        tensorflow_job(
            "first_look",
            "--winners {input.winners} --growth {params.growth:q} --surgery {params.surgery:q}"
            " --is-needed {params.needed} --step first-look --output {output}",
        )


checkpoint plan_arbor:
    input:
        unpack(inputs.arbor_inputs),
    output:
        f"{GENERATION}/plan.json",
    log:
        f"{LOGS}/generation{{generation}}/plan.log",
    wildcard_constraints:
        search=startup.any_of(searches.of_algorithm("arbor")),
        generation=GENERATIONS,
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("plan_arbor"),
        settings=parameters.settings(job_settings.ROUND),
        allowed=parameters.arbor_allowance,
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}: plan round {wildcards.generation}"
    shell:
        job(
            "plan_arbor",
            "--folder {params.folder} --generation {wildcards.generation}"
            " --settings {params.settings:q} --allowed {params.allowed:q}"
            " --dependencies {params.dependencies:q}",
        )


rule cool_down:
    input:
        unpack(inputs.samples),
        model=inputs.model_before,
    output:
        model=f"{GENERATION}/{{step}}.keras",
        record=f"{GENERATION}/{{step}}.json",
    log:
        f"{LOGS}/generation{{generation}}/{{step}}.log",
    wildcard_constraints:
        step=r"cooled/g\d\d+c\d+",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    resources:
        **scheduling.training_resources(minutes=60),
    params:
        time_limit=scheduling.time_limit,
        dependencies=dependencies.of("cool_down"),
        settings=parameters.settings(job_settings.TRAINING),
        rates=parameters.rates,
        stream=parameters.stream,
        batches=parameters.cooling_batches,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: cool {wildcards.step} down"
    shell:
        training_job(
            "cool_down",
            "--model {input.model} --batches {params.batches}"
            " --step {wildcards.step} --output {output.model}",
        )


rule train_fresh:
    input:
        unpack(inputs.samples),
        plan=f"{GENERATION}/plan.json",
        teacher=inputs.teacher,
    output:
        model=f"{GENERATION}/{{step}}.keras",
        record=f"{GENERATION}/{{step}}.json",
    log:
        f"{LOGS}/generation{{generation}}/{{step}}.log",
    wildcard_constraints:
        step=r"fresh/g\d\d+c\d+",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    threads: scheduling.threads
    resources:
        **scheduling.training_resources(minutes=240),
    params:
        time_limit=scheduling.time_limit,
        dependencies=dependencies.of("train_fresh"),
        settings=parameters.settings(job_settings.FRESH),
        rates=parameters.rates,
        stream=parameters.stream,
        target=parameters.target,
        fresh=parameters.fresh,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: train {wildcards.step} from fresh weights"
    shell:
        training_job(
            "train_fresh",
            "--fresh {params.fresh:q} --teacher {input.teacher} --target {params.target}"
            " --step {wildcards.step} --output {output.model}",
        )
