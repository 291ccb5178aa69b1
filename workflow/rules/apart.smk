"""Each search and seed as a run of its own, under a graph that starts them and sums up.

The cost of a job then does not grow with the number of searches, none waits for another one's
generation, and on a cluster a search is one job, which pays for what it imports once.
"""

import time

APART = CONFIG.apart > 0 and CONFIG.only is None
SEARCHED = f"{RESULTS}/_apart/{{search}}/seed{{seed}}.done"


def searched(name, seed):
    """The marker of a search that a run of its own has finished."""
    return SEARCHED.format(search=name, seed=seed)


def is_intact(wildcards):
    """Whether nothing is missing of a search once it is finished; else a reason to look again."""
    marker = Path(searched(wildcards.search, wildcards.seed))
    return not marker.exists() or folder_of(wildcards).complete or time.time()


def write_config():
    """The configuration for the runs of the searches."""
    write_text(
        Path(RESULTS) / "_apart" / "config.yaml",
        yaml.safe_dump(config | {"apart": 0}, sort_keys=False),
    )


rule search_apart:
    input:
        lambda w: [path for name, path in samples(w).items() if name != "split"],
    output:
        touch(SEARCHED),
    log:
        f"{RESULTS}/_apart/{{search}}/seed{{seed}}.log",
    conda:
        "../../environment.yml"
    threads: max(1, CONFIG.apart)
    resources:
        mem_mb=more(2000 + 1500 * max(1, CONFIG.apart)),
        runtime=more(720),
        gpu=CONFIG.gpu,
    params:
        version=netsurgery.__version__,
        settings=all_settings,
        intact=is_intact,
        # two runs of one search, one perhaps left over on a cluster, come one after the other
        lock=lambda w: f"{RESULTS}/_apart/{w.search}/seed{w.seed}.lock",
        config=f"{RESULTS}/_apart/config.yaml",
    message:
        "{wildcards.search} seed {wildcards.seed}"
    shell:
        "flock {params.lock} python -m snakemake --snakefile {workflow.main_snakefile:q} --executor local"
        " --configfile {params.config} --config only={wildcards.search}/{wildcards.seed}"
        " --cores {threads} --resources gpu={CONFIG.gpu_slots} > {log} 2>&1"
