"""One job per training step; each goes through the warm trainer if that is in reach."""


rule start:
    input:
        unpack(samples),
    output:
        model=f"{SEARCH}/generation00/warm-up.keras",
        record=f"{SEARCH}/generation00/warm-up.json",
    log:
        f"{LOGS}/generation00/warm-up.log",
    priority: turn
    conda:
        "../../environment.yml"
    resources:
        mem_mb=more(2000),
        runtime=more(240),
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
        " start --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --layers {params.layers:q} --activation {params.activation} --epochs {params.epochs}"
        " --step warm-up --output {output.model} > {log} 2>&1"


rule recuperate:
    input:
        unpack(samples),
        plan=birth_of,
        parent=parent_of,
    output:
        model=f"{GENERATION}/recuperation/{{candidate}}.keras",
        record=f"{GENERATION}/recuperation/{{candidate}}.json",
    log:
        f"{LOGS}/generation{{generation}}/recuperation/{{candidate}}.log",
    priority: turn
    conda:
        "../../environment.yml"
    resources:
        mem_mb=more(2000),
        runtime=longer(60),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        settings=settings(configuration.TRAINING),
        operating=settings(configuration.OPERATING),
        offspring=lambda w: json.dumps(offspring_of(w)),
        epochs=round_epochs,
        following=following,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: {wildcards.candidate} recuperates"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " recuperate --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --parent {input.parent} --offspring {params.offspring:q}"
        " --operating {params.operating:q} --step recuperation"
        " --epochs {params.epochs} --then {params.following} --output {output.model} > {log} 2>&1"


rule compete:
    input:
        unpack(samples),
        unpack(feeders_of),
    output:
        model=f"{GENERATION}/{{slot}}.keras",
        record=f"{GENERATION}/{{slot}}.json",
    log:
        f"{LOGS}/generation{{generation}}/{{slot}}.log",
    priority: turn
    conda:
        "../../environment.yml"
    resources:
        mem_mb=more(2000),
        runtime=longer(120),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        settings=settings((*configuration.TRAINING, "greediness")),
        mode=feeding_mode,
        epochs=round_epochs,
        following=following,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: {wildcards.generation}/{wildcards.slot}"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " compete --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --models {input.models} --mode {params.mode}"
        " --step {wildcards.slot} --epochs {params.epochs} --then {params.following}"
        " --output {output.model} > {log} 2>&1"


rule finish:
    input:
        unpack(samples),
        models=finalists,
        plan=file_of_the_end,
        settled=settled,
    output:
        network=f"{SEARCH}/final/network.keras",
        record=f"{SEARCH}/final/network.json",
        model=f"{SEARCH}/final/model.keras",
        preprocessing=f"{SEARCH}/final/preprocessing.json",
        test=f"{SEARCH}/final/test.json",
    log:
        f"{LOGS}/finish.log",
    priority: turn
    conda:
        "../../environment.yml"
    resources:
        mem_mb=more(2000),
        runtime=more(240),
        gpu=CONFIG.use_gpu,
        time_limit=time_limit,
    params:
        settings=settings((*configuration.TRAINING, "greediness")),
        mode=lambda w: search_of(w).final_mode,
        batches=further_batches,
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: final selection and test"
    shell:
        "python -S -m netsurgery.processes.client training --time-limit {resources.time_limit}"
        " finish --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --models {input.models} --mode {params.mode}"
        " --batches {params.batches} --step final --output {output.network} > {log} 2>&1"
