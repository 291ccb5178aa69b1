"""Each search and seed as a run of its own, under a graph that starts them and sums up.

A graph then knows one search only, none waits for another one's generation, and on a cluster a search
is one job, which pays for what it imports once.
"""


rule run_search:
    input:
        lambda w: [path for name, path in dataset_inputs(w).items() if name != "split"],
    output:
        touch(SEARCH_MARKER),
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
        version=netsurgery.__version__,
        settings=result_settings,
        intact=completeness_token,
        # two runs of one search, one perhaps left over on a cluster, come one after the other
        lock=lambda w: f"{RESULTS}/_runs/{w.search}/seed{w.seed}.lock",
        config=f"{RESULTS}/_runs/config.yaml",
    message:
        "{wildcards.search} seed {wildcards.seed}"
    shell:
        'flock {params.lock} python -m snakemake --snakefile "$NETSURGERY_SNAKEFILE" --executor local'
        " --configfile {params.config} --config only_run={wildcards.search}/{wildcards.seed}"
        " --cores {threads} --resources gpu=$NETSURGERY_JOBS_PER_GPU > {log} 2>&1"
