"""Plots of each search, a table of all searches, and the HTML report."""


rule plot_search:
    input:
        inputs.decision_files,
        no_files,
        record=f"{SEARCH}/final/network.json",
        summary=f"{SEARCH}/final/summary.json",
        lineage=f"{SEARCH}/lineage.csv",
        front=f"{SEARCH}/front.csv",
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
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("plot_search"),
        folder=parameters.folder,
    message:
        "{wildcards.search} seed {wildcards.seed}: plot the search"
    shell:
        display_job(
            "plot_search",
            "--folder {params.folder} --format svg --dependencies {params.dependencies:q}",
        )


rule summarize_all:
    input:
        targets.summary_inputs(),
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
    localrule: True
    conda:
        "../../environment.yml"
    params:
        dependencies=dependencies.of("summarize_all"),
        folders=targets.search_folders(),
    message:
        "Write a table of all searches"
    shell:
        display_job(
            "summarize_all",
            "--folders {params.folders} --output {output.table}"
            " --dependencies {params.dependencies:q}",
        )


rule write_report:
    input:
        targets.report_inputs(),
        studies.paper_inputs(CONFIG, REQUESTED_PAPERS),
        f"{RESULTS}/summary.json",  # made again if it is of other searches
    output:
        report(
            f"{RESULTS}/report.html",
            caption="../report/page.rst",
            category="All searches",
            labels={"table": "all in one page"},
        ),
    log:
        f"{RESULTS}/_logs/report.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        code=code_digests(REPORT),
        listing=listing_hash(CONFIG),
        results=subpath(output[0], parent=True),
    message:
        "Write the report"
    shell:
        display_job("write_report", "--results {params.results} --output {output}")
