"""Outputs of the report: plots of each search, a table of all, and the HTML page."""

PLOTS = ("accuracy", "size", "family_tree")
SEARCH_PLOTS = [
    f"{RESULTS}/{name}/seed{seed}/plots/{plot}.svg" for name, seed in RUNS for plot in PLOTS
]
SEARCH_PLOTS += [f"{RESULTS}/{name}/seed{seed}/plots/checksums.json" for name, seed in RUNS]
SUMMARY_FILES = [
    f"{RESULTS}/{file}" for file in ("summary.csv", "summary.html", "summary.json", "report.html")
]
FINAL = ("summary.json", "errors.json", "exports.json")
REPORT_INPUTS = [
    path
    for name, seed in RUNS
    for path in (
        [search_marker(name, seed)]
        if CORES_PER_SEARCH
        else [f"{RESULTS}/{name}/seed{seed}/final/{file}" for file in FINAL]
    )
]


rule plot_search:
    input:
        decision_files,
        no_files,
        record=f"{SEARCH}/final/network.json",
        summary=f"{SEARCH}/final/summary.json",
        lineage=f"{SEARCH}/lineage.csv",
    output:
        [
            report(
                f"{SEARCH}/plots/{plot}.svg",
                caption=f"../report/{plot}.rst",
                category="Each search",
                subcategory="{search}",
                labels={"seed": "{seed}", "plot": plot.replace("_", " ")},
            )
            for plot in PLOTS
        ],
        checksums=f"{SEARCH}/plots/checksums.json",
    log:
        f"{LOGS}/plot.log",
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        folder=lambda w, output: folder_of(w).root,
    message:
        "{wildcards.search} seed {wildcards.seed}: plots"
    shell:
        "python -S -m netsurgery.processes.client showing plot_search --folder {params.folder} --format svg > {log} 2>&1"


rule summarize_all:
    input:
        [
            (
                search_marker(name, seed)
                if CORES_PER_SEARCH
                else f"{RESULTS}/{name}/seed{seed}/final/summary.json"
            )
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
        f"{RESULTS}/_logs/summarize_all.log",
    conda:
        "../../environment.yml"
    params:
        version=netsurgery.__version__,
        folders=json.dumps([f"{RESULTS}/{name}/seed{seed}" for name, seed in RUNS]),
    message:
        "a table of all searches"
    shell:
        "python -S -m netsurgery.processes.client showing summarize_all --folders {params.folders:q} --output {output.table}"
        " > {log} 2>&1"


rule write_report:
    input:
        REPORT_INPUTS,
        POOLING if "ectonas" in REQUESTED_PAPERS else [],
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
        listed=listing_hash(),
        results=subpath(output[0], parent=True),
    message:
        "the report"
    shell:
        "python -S -m netsurgery.processes.client showing write_report --results {params.results} --output {output} > {log} 2>&1"
