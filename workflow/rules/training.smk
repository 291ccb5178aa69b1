"""One job per training step; each goes through the warm trainer if that is in reach."""


rule train_initial_network:
    input:
        unpack(dataset_inputs),
    output:
        model=f"{SEARCH}/generation00/warm-up.keras",
        record=f"{SEARCH}/generation00/warm-up.json",
    log:
        f"{LOGS}/generation00/warm-up.log",
    priority: job_priority
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(240),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        version=netsurgery.__version__,
        settings=settings(configuration.TRAINING),
        layers=lambda w: json.dumps(search_of(w).layers),
        activation=lambda w: search_of(w).output_activation,
        epochs=lambda w: search_of(w).first_epochs,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: train the starting topology"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " train_initial_network --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --layers {params.layers:q} --activation {params.activation} --epochs {params.epochs}"
        " --step warm-up --output {output.model} > {log} 2>&1"


rule train_offspring:
    input:
        unpack(dataset_inputs),
        plan=plan_of_candidate,
        parent=parent_of,
    output:
        model=f"{GENERATION}/recuperation/{{candidate}}.keras",
        record=f"{GENERATION}/recuperation/{{candidate}}.json",
    log:
        f"{LOGS}/generation{{generation}}/recuperation/{{candidate}}.log",
    priority: job_priority
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_round_and_attempt(60),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        settings=settings(configuration.TRAINING),
        operating=settings(configuration.OPERATING),
        offspring=lambda w: json.dumps(offspring_of(w).to_json()),
        epochs=round_epochs,
        following=later_rounds,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: {wildcards.candidate} recuperates"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " train_offspring --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --parent {input.parent} --offspring {params.offspring:q}"
        " --operating {params.operating:q} --step recuperation"
        " --epochs {params.epochs} --later-rounds {params.following} --output {output.model} > {log} 2>&1"


rule train_round:
    input:
        unpack(dataset_inputs),
        unpack(contenders),
    output:
        model=f"{GENERATION}/{{slot}}.keras",
        record=f"{GENERATION}/{{slot}}.json",
    log:
        f"{LOGS}/generation{{generation}}/{{slot}}.log",
    priority: job_priority
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_round_and_attempt(120),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        settings=settings((*configuration.TRAINING, "greediness")),
        mode=selection_mode,
        epochs=round_epochs,
        following=later_rounds,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: {wildcards.generation}/{wildcards.slot}"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " train_round --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --models {input.models} --mode {params.mode}"
        " --step {wildcards.slot} --epochs {params.epochs} --later-rounds {params.following}"
        " --output {output.model} > {log} 2>&1"


rule finalize:
    input:
        unpack(dataset_inputs),
        models=finalists,
        plan=final_plan,
        settled=no_files,
    output:
        network=f"{SEARCH}/final/network.keras",
        record=f"{SEARCH}/final/network.json",
        model=f"{SEARCH}/final/model.keras",
        preprocessing=f"{SEARCH}/final/preprocessing.json",
        test=f"{SEARCH}/final/test.json",
    log:
        f"{LOGS}/final.log",
    priority: job_priority
    conda:
        "../../environment.yml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(240),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        settings=settings((*configuration.TRAINING, "greediness")),
        mode=lambda w: search_of(w).final_mode,
        batches=remaining_batches,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: final selection and test"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " finalize --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --models {input.models} --mode {params.mode}"
        " --batches {params.batches} --step final --output {output.network} > {log} 2>&1"
