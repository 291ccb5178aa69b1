"""Each search and seed as a Snakemake process of its own, started by this one.

Each DAG then has one search, so no search waits for another one's plans. On a cluster a search is
one job, which imports its packages once.
"""


rule run_search:
    input:
        unpack(inputs.prepared_data),
    output:
        touch(f"{RESULTS}/{SEARCH_MARKER}"),
    log:
        f"{RESULTS}/_runs/{{search}}/seed{{seed}}.log",
    conda:
        "../../environment.yml"
    threads: max(1, CORES_PER_SEARCH)
    resources:
        mem_mb=per_attempt(2000 + 1500 * max(1, CORES_PER_SEARCH)),
        runtime=per_attempt(720),
        gpu=CONFIG.use_gpu,
    params:
        code=code_digests(*STAGES),
        settings=parameters.result_settings,
        complete=targets.completeness_token,
        lock=parameters.lock_file,
        config=f"{RESULTS}/_runs/config.yaml",
    message:
        "{wildcards.search} seed {wildcards.seed}: run the search"
    shell:
        IGNORE_INTERRUPT
        + 'flock {params.lock} python -m snakemake --snakefile "$NETSURGERY_SNAKEFILE"'
        " --executor local --configfile {params.config}"
        " --config only_run={wildcards.search}/{wildcards.seed}"
        " --cores {threads} --resources gpu=$NETSURGERY_JOBS_PER_GPU > {log} 2>&1"
