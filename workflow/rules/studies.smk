"""Studies of the surgery on trained networks; no part of `all`."""


rule study_surgery:
    input:
        f"{STUDIES}/surgery/places.csv",
        f"{STUDIES}/surgery/timing.csv",
    message:
        "the study of surgery is in {STUDIES}/surgery"


rule study_surgery_immediate:
    input:
        f"{STUDIES}/surgery-immediate/places.csv",
    message:
        "what operations cost right after them is in {STUDIES}/surgery-immediate"


rule study_pooling:
    input:
        f"{STUDIES}/pooling/seeds.csv",
    message:
        "the pooling trials are in {STUDIES}/pooling"


rule surgery_fidelity:
    input:
        unpack(dataset_inputs),
        model=f"{SEARCH}/final/network.keras",
    output:
        f"{STUDIES}/{{study}}/{{search}}/seed{{seed}}/rows.json",
    log:
        f"{STUDIES}/{{study}}/{{search}}/seed{{seed}}/rows.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        settings=result_settings,
        sources=code_hash("surgery/*.py", "reproduction/studies/published.py"),
        retrain=lambda w: json.dumps(w.study == "surgery"),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: every operation at every place"
    shell:
        "python -S -m netsurgery.processes.client training surgery_fidelity --data {params.folder} --split {input.split}"
        " --seed {wildcards.seed} --settings {params.settings:q}"
        " --model {input.model} --retrain {params.retrain} --step fidelity --output {output} > {log} 2>&1"


rule surgery_fidelity_tables:
    input:
        lambda w: study_rows(w.study),
    output:
        places=f"{STUDIES}/{{study}}/places.csv",
        summary=f"{STUDIES}/{{study}}/summary.csv",
        compared=f"{STUDIES}/{{study}}/compared.md",
        recovered=f"{STUDIES}/{{study}}/recovered.md",
        svg=f"{STUDIES}/{{study}}/drops.svg",
        png=f"{STUDIES}/{{study}}/drops.png",
    log:
        f"{STUDIES}/{{study}}/tables.log",
    conda:
        "../../environment.yml"
    message:
        "tables and picture of the study of surgery"
    shell:
        "python -m netsurgery.reproduction.studies fidelity-tables --rows {input} --output {output.places}"
        " > {log} 2>&1"


rule operation_times:
    output:
        table=f"{STUDIES}/surgery/timing.csv",
        slowest=f"{STUDIES}/surgery/timing.md",
    log:
        f"{STUDIES}/surgery/timing.log",
    conda:
        "../../environment.yml"
    threads: 64  # all there are: nothing else is to run beside it
    resources:
        mem_mb=8000,
    params:
        sources=code_hash("surgery/*.py"),
    message:
        "time operations on large networks"
    shell:
        "python -m netsurgery.reproduction.studies timing --output {output.table} > {log} 2>&1"


rule pooling_trials:
    input:
        unpack(dataset_inputs),
        model=f"{SEARCH}/final/network.keras",
    output:
        f"{STUDIES}/pooling/{{search}}/seed{{seed}}/rows.json",
    log:
        f"{STUDIES}/pooling/{{search}}/seed{{seed}}/rows.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        settings=result_settings,
        sources=code_hash("surgery/*.py", "reproduction/studies/po*.py"),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: pooling trials"
    shell:
        "python -S -m netsurgery.processes.client training pooling_trials --data {params.folder}"
        " --split {input.split} --seed {wildcards.seed} --settings {params.settings:q}"
        " --model {input.model} --step trials --output {output} > {log} 2>&1"


rule pooling_tables:
    input:
        study_rows("pooling"),
    output:
        seeds=f"{STUDIES}/pooling/seeds.csv",
        summary=f"{STUDIES}/pooling/summary.csv",
        table=f"{STUDIES}/pooling/table.md",
        svg=f"{STUDIES}/pooling/trials.svg",
        png=f"{STUDIES}/pooling/trials.png",
    log:
        f"{STUDIES}/pooling/tables.log",
    conda:
        "../../environment.yml"
    message:
        "tables and picture of the pooling trials"
    shell:
        "python -m netsurgery.reproduction.studies pooling-tables --rows {input} --output {output.seeds}"
        " > {log} 2>&1"
