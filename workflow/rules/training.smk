"""Training steps: one job each, in a warm server if one is in reach."""


rule train_initial_network:
    input:
        unpack(inputs.samples),
    output:
        model=f"{SEARCH}/generation00/warm-up.keras",
        record=f"{SEARCH}/generation00/warm-up.json",
    log:
        f"{LOGS}/generation00/warm-up.log",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    threads: scheduling.threads
    resources:
        **scheduling.training_resources(minutes=240),
    params:
        time_limit=scheduling.time_limit,
        dependencies=dependencies.of("train_initial_network"),
        settings=parameters.settings(job_settings.INITIAL),
        rates=parameters.first_rates,
        stream=parameters.stream,
        target=parameters.first_target,
        layers=parameters.layers,
        start=parameters.starting_model,
        activation=parameters.output_activation,
        epochs=parameters.first_epochs,
        seconds=parameters.first_seconds,
        limits=parameters.limits,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: train the initial network"
    shell:
        training_job(
            "train_initial_network",
            "--layers {params.layers:q} --start {params.start:q} --activation {params.activation}"
            " --epochs {params.epochs} --seconds {params.seconds} --limits {params.limits:q}"
            " --target {params.target} --step warm-up --output {output.model}",
        )


rule train_offspring:
    input:
        unpack(inputs.samples),
        plan=inputs.plan_of_candidate,
        parent=inputs.parent_model,
    output:
        model=f"{GENERATION}/recuperation/{{candidate}}.keras",
        record=f"{GENERATION}/recuperation/{{candidate}}.json",
    log:
        f"{LOGS}/generation{{generation}}/recuperation/{{candidate}}.log",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    resources:
        **scheduling.training_resources(minutes=60),
    params:
        time_limit=scheduling.time_limit,
        dependencies=dependencies.of("train_offspring"),
        settings=parameters.settings(job_settings.TRAINING),
        rates=parameters.rates,
        stream=parameters.stream,
        surgery=parameters.settings(job_settings.SURGERY),
        offspring=parameters.offspring,
        epochs=parameters.round_epochs,
        later_rounds=parameters.later_rounds,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: make and train offspring {wildcards.candidate}"
    shell:
        training_job(
            "train_offspring",
            "--parent {input.parent} --offspring {params.offspring:q} --surgery {params.surgery:q}"
            " --epochs {params.epochs} --later-rounds {params.later_rounds}"
            " --step recuperation --output {output.model}",
        )


rule train_round:
    input:
        unpack(inputs.samples),
        unpack(inputs.contenders),
    output:
        model=f"{GENERATION}/{{slot}}.keras",
        record=f"{GENERATION}/{{slot}}.json",
    log:
        f"{LOGS}/generation{{generation}}/{{slot}}.log",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    resources:
        **scheduling.training_resources(minutes=120),
    params:
        time_limit=scheduling.time_limit,
        dependencies=dependencies.of("train_round"),
        settings=parameters.settings(job_settings.MATCH),
        rates=parameters.rates,
        stream=parameters.stream,
        mode=parameters.selection_mode,
        epochs=parameters.round_epochs,
        later_rounds=parameters.later_rounds,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}:"
        " train {wildcards.slot} of generation {wildcards.generation}"
    shell:
        training_job(
            "train_round",
            "--models {input.models} --mode {params.mode}"
            " --epochs {params.epochs} --later-rounds {params.later_rounds}"
            " --step {wildcards.slot} --output {output.model}",
        )


rule train_branch:
    input:
        unpack(inputs.samples),
        unpack(inputs.try_candidates),
    output:
        model=f"{GENERATION}/try{{attempt}}/slot{{rank}}.keras",
        record=f"{GENERATION}/try{{attempt}}/slot{{rank}}.json",
    log:
        f"{LOGS}/generation{{generation}}/try{{attempt}}/slot{{rank}}.log",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    resources:
        **scheduling.training_resources(minutes=120),
    params:
        time_limit=scheduling.time_limit,
        dependencies=dependencies.of("train_branch"),
        settings=parameters.settings(job_settings.MATCH),
        rates=parameters.rates,
        stream=parameters.stream,
        batches=parameters.step_batches,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: train the candidate of rank {wildcards.rank}"
        " in try {wildcards.attempt} of decision {wildcards.generation}"
    shell:
        training_job(
            "train_branch",
            "--models {input.models} --rank {wildcards.rank} --batches {params.batches}"
            " --step try{wildcards.attempt}/slot{wildcards.rank} --output {output.model}",
        )


rule finalize:
    input:
        unpack(inputs.samples),
        models=inputs.finalists,
        plan=inputs.final_plan,
        last=no_files,
    output:
        network=f"{SEARCH}/final/network.keras",
        record=f"{SEARCH}/final/network.json",
        model=f"{SEARCH}/final/model.keras",
        preprocessing=f"{SEARCH}/final/preprocessing.json",
        test=f"{SEARCH}/final/test.json",
    log:
        f"{LOGS}/final.log",
    priority: scheduling.priority
    conda:
        "../../environment.yml"
    threads: scheduling.threads
    resources:
        **scheduling.training_resources(minutes=240),
    params:
        time_limit=scheduling.time_limit,
        dependencies=dependencies.of("finalize"),
        settings=parameters.settings(job_settings.FINAL),
        rates=parameters.final_rates,
        stream=parameters.stream,
        target=parameters.final_target,
        mode=parameters.final_mode,
        batches=parameters.remaining_batches,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: select, train and test the final network"
    shell:
        training_job(
            "finalize",
            "--models {input.models} --mode {params.mode} --batches {params.batches}"
            " --target {params.target} --step final --output {output.network}",
        )
