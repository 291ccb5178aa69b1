"""What the report shows: the pictures of each search, a table of them all, and the page of all."""

PICTURES = ("accuracy", "size", "family_tree")
PICTURED = [
    f"{RESULTS}/{name}/seed{seed}/plots/{picture}.svg"
    for name, seed in RUNS
    for picture in PICTURES
]
PICTURED += [f"{RESULTS}/{name}/seed{seed}/plots/pictures.json" for name, seed in RUNS]
SUMMARISED = [
    f"{RESULTS}/{file}" for file in ("summary.csv", "summary.html", "summary.json", "report.html")
]
FINAL = ("summary.json", "errors.json", "exports.json")
REPORTABLE = [
    path
    for name, seed in RUNS
    for path in (
        [searched(name, seed)]
        if APART
        else [f"{RESULTS}/{name}/seed{seed}/final/{file}" for file in FINAL]
    )
]


rule plot:
    input:
        decided,
        settled,
        record=f"{SEARCH}/final/network.json",
        summary=f"{SEARCH}/final/summary.json",
        lineage=f"{SEARCH}/lineage.csv",
    output:
        [
            report(
                f"{SEARCH}/plots/{picture}.svg",
                caption=f"../report/{picture}.rst",
                category="Each search",
                subcategory="{search}",
                labels={"seed": "{seed}", "picture": picture.replace("_", " ")},
            )
            for picture in PICTURES
        ],
        checksums=f"{SEARCH}/plots/pictures.json",
    log:
        f"{LOGS}/plot.log",
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: pictures"
    shell:
        "python -S -m netsurgery.processes.client showing plot --folder {params.folder} --format svg > {log} 2>&1"


rule summarise:
    input:
        [
            searched(name, seed) if APART else f"{RESULTS}/{name}/seed{seed}/final/summary.json"
            for name, seed in RUNS
        ],
    output:
        table=report(
            f"{RESULTS}/summary.csv",
            caption="../report/summary.rst",
            category="All searches",
            labels={"table": "summary, to download"},
        ),
        page=report(
            f"{RESULTS}/summary.html",
            caption="../report/summary.rst",
            category="All searches",
            labels={"table": "summary"},
        ),
        checksums=f"{RESULTS}/summary.json",
    log:
        f"{RESULTS}/_logs/summarise.log",
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        folders=json.dumps([f"{RESULTS}/{name}/seed{seed}" for name, seed in RUNS]),
    message:
        "a table of all searches"
    shell:
        "python -S -m netsurgery.processes.client showing summarise --folders {params.folders:q} --output {output.table}"
        " > {log} 2>&1"


rule report:
    input:
        REPORTABLE,
        POOLING if "ectonas" in ASKED else [],
    output:
        report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="All searches",
            labels={"table": "all in one page"},
        ),
    log:
        f"{RESULTS}/_logs/report.log",
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        listed=listed(),
        results=subpath(output[0], parent=True),
    message:
        "the report"
    shell:
        "python -S -m netsurgery.processes.client showing report --results {params.results} --output {output} > {log} 2>&1"
