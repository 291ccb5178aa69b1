"""Studies of surgery on trained networks; `all` does not include them."""


rule study_surgery:
    input:
        f"{STUDIES}/surgery/places.csv",
        f"{STUDIES}/surgery/timing.csv",
    localrule: True
    message:
        f"The study of surgery is in {STUDIES}/surgery"


rule study_surgery_immediate:
    input:
        f"{STUDIES}/surgery-immediate/places.csv",
    localrule: True
    message:
        f"The accuracy right after each operation is in {STUDIES}/surgery-immediate"


rule study_pooling:
    input:
        f"{STUDIES}/pooling/seeds.csv",
    localrule: True
    message:
        f"The pooling trials are in {STUDIES}/pooling"


rule surgery_fidelity:
    input:
        unpack(inputs.samples),
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
        dependencies=dependencies.of("surgery_fidelity"),
        settings=parameters.result_settings,
        code=digest_of_modules("surgery/**/*.py", "reproduction/studies/published.py"),
        retrain=lambda w: str(w.study == studies.SURGERY).lower(),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: apply every operation at every position"
    shell:
        tensorflow_job(
            "surgery_fidelity",
            "--model {input.model} --retrain {params.retrain} --step fidelity --output {output}",
        )


rule surgery_fidelity_tables:
    input:
        lambda w: studies.study_rows(CONFIG, w.study),
    output:
        places=f"{STUDIES}/{{study}}/places.csv",
        summary=f"{STUDIES}/{{study}}/summary.csv",
        compared=f"{STUDIES}/{{study}}/compared.md",
        recovered=f"{STUDIES}/{{study}}/recovered.md",
        svg=f"{STUDIES}/{{study}}/drops.svg",
        png=f"{STUDIES}/{{study}}/drops.png",
    log:
        f"{STUDIES}/{{study}}/tables.log",
    localrule: True
    conda:
        "../../environment.yml"
    message:
        "Write tables and plot of the study of surgery"
    shell:
        study_job("surgery_fidelity_tables", "--rows {input} --output {output.places}")


rule operation_times:
    output:
        table=f"{STUDIES}/surgery/timing.csv",
        slowest=f"{STUDIES}/surgery/timing.md",
    log:
        f"{STUDIES}/surgery/timing.log",
    conda:
        "../../environment.yml"
    threads: 64  # all cores: nothing else should run meanwhile
    resources:
        mem_mb=8000,
    params:
        code=digest_of_modules("surgery/**/*.py"),
    message:
        "Time operations on large networks"
    shell:
        study_job("operation_times", "--output {output.table}")


rule pooling_trials:
    input:
        unpack(inputs.samples),
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
        dependencies=dependencies.of("pooling_trials"),
        settings=parameters.result_settings,
        code=digest_of_modules("surgery/**/*.py", "reproduction/studies/po*.py"),
        folder=subpath(input.data, parent=True),
    message:
        "{wildcards.search} seed {wildcards.seed}: run the pooling trials"
    shell:
        tensorflow_job("pooling_trials", "--model {input.model} --step trials --output {output}")


rule pooling_tables:
    input:
        studies.study_rows(CONFIG, studies.POOLING),
    output:
        seeds=f"{STUDIES}/pooling/seeds.csv",
        summary=f"{STUDIES}/pooling/summary.csv",
        table=f"{STUDIES}/pooling/table.md",
        svg=f"{STUDIES}/pooling/trials.svg",
        png=f"{STUDIES}/pooling/trials.png",
    log:
        f"{STUDIES}/pooling/tables.log",
    localrule: True
    conda:
        "../../environment.yml"
    message:
        "Write tables and plot of the pooling trials"
    shell:
        study_job("pooling_tables", "--rows {input} --output {output.seeds}")
