"""The tables of the studies, made from the rows that their jobs wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas

from netsurgery.reproduction import published
from netsurgery.reproduction.studies.rules import LEAST_SQUARES, PUBLISHED, SVD
from netsurgery.storage.files import read_json, write_text
from netsurgery.surgery.operations import (
    ADD_CHANNELS,
    ADD_CONV_CELL,
    ADD_DENSE,
    ADD_UNITS,
    IDENTITY,
    REMOVE_CHANNELS,
    REMOVE_CONV_CELL,
    REMOVE_DENSE,
    REMOVE_UNITS,
    TRUNCATE,
    by_name,
)

STAGES = ("right_after", "after_tenth", "after_epoch")
GROUP = ["dataset", "operation", "rule"]
# rows in order: growth before removal, max pooling as a row of its own
OPERATIONS = (
    IDENTITY.name,
    ADD_DENSE.name,
    ADD_UNITS.name,
    ADD_CHANNELS.name,
    ADD_CONV_CELL.name,
    f"{ADD_CONV_CELL} max",
    REMOVE_DENSE.name,
    REMOVE_UNITS.name,
    REMOVE_CHANNELS.name,
    REMOVE_CONV_CELL.name,
    TRUNCATE.name,
)


def read_rows(paths: Iterable[Path]) -> pandas.DataFrame:
    """The rows of all jobs, each with the description of the job's network."""
    rows = []
    for path in paths:
        job = read_json(path)
        rows += [{k: v for k, v in job.items() if k != "rows"} | row for row in job["rows"]]
    return pandas.DataFrame(rows)


def write_csv(table: pandas.DataFrame, path: Path, digits: int = 6) -> None:
    """Write a table as CSV."""
    write_text(path, table.round(digits).to_csv(index=False, lineterminator="\n"))


def markdown(table: pandas.DataFrame) -> str:
    """A table in Markdown: text left-aligned, numbers right-aligned."""
    numeric = [pandas.api.types.is_numeric_dtype(table[name]) for name in table]
    lines = [list(map(str, table)), ["---:" if right else "---" for right in numeric]]
    for row in table.astype(object).itertuples(index=False, name=None):
        lines.append(["" if value is None or value != value else f"{value}" for value in row])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# --- fidelity -------------------------------------------------------------------------------------


def with_drops(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Add the drop of accuracy at each stage, and the pooling to the name of added cells."""
    table = rows.copy()
    max_pooling = table["pooling"] == "max"
    table.loc[max_pooling, "operation"] = table.loc[max_pooling, "operation"] + " max"
    for stage in STAGES:
        table[f"drop_{stage}"] = table["before"] - table[stage].astype(float)
    return table


def summary(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Median and worst drop of accuracy by dataset, operation and rule.

    Args:
        rows: of `netsurgery.reproduction.studies.fidelity`, with their dataset.

    Returns:
        Drops as fractions; `positions` counts the rows of each group.
    """
    groups = with_drops(rows).groupby(GROUP, sort=False)
    table = pandas.DataFrame({"positions": groups.size()})
    for stage in STAGES:
        table[f"median_{stage}"] = groups[f"drop_{stage}"].median()
        table[f"worst_{stage}"] = groups[f"drop_{stage}"].max()
    table["mean_right_after"] = groups["drop_right_after"].mean()
    table["output_change"] = groups["output_change"].max()
    table = table.reset_index()
    order = {name: i for i, name in enumerate(OPERATIONS)}
    return table.sort_values(
        GROUP, key=lambda column: column.map(order) if column.name == "operation" else column
    ).reset_index(drop=True)


def compare_rules(table: pandas.DataFrame) -> pandas.DataFrame:
    """Compare the rules per dataset and operation, in percentage points.

    Args:
        table: see `summary`.

    Returns:
        Median and worst drop by each rule immediately after surgery, and the ratios of median and
        mean of the data-aware rule to those of the papers' rule. Operations without loss are left
        out.
    """
    wide = table.set_index(GROUP).unstack("rule")
    comparison = pandas.DataFrame(index=wide.index)
    comparison["positions"] = wide["positions"][SVD].astype(int)
    for label, column in (("median", "median_right_after"), ("worst", "worst_right_after")):
        for rule in (PUBLISHED, SVD, LEAST_SQUARES):
            if rule in wide[column]:
                comparison[f"{label}, {rule}"] = (100 * wide[column][rule]).round(1)
    for label, column in (("medians", "median_right_after"), ("means", "mean_right_after")):
        both = wide[column]
        if LEAST_SQUARES in both:
            ratio = (both[LEAST_SQUARES] / both[SVD]).where(both[SVD] > 0)
            comparison[f"ratio of {label}"] = ratio.round(2)
    order = table[["dataset", "operation"]].drop_duplicates()
    comparison = order.merge(comparison.reset_index(), on=["dataset", "operation"])
    data_aware = f"median, {LEAST_SQUARES}"
    return comparison[comparison[data_aware].notna()] if data_aware in comparison else comparison


def compare_recovery(table: pandas.DataFrame) -> pandas.DataFrame:
    """Median loss after further training per dataset, operation and rule, in percentage points.

    Args:
        table: see `summary`.
    """
    medians = table.set_index(GROUP)[["median_after_tenth", "median_after_epoch"]]
    wide = (100 * medians).round(1).unstack("rule")
    comparison = pandas.DataFrame(index=wide.index)
    for label, column in (("0.1", "median_after_tenth"), ("1", "median_after_epoch")):
        for rule in (PUBLISHED, SVD, LEAST_SQUARES):
            if rule in wide[column]:
                comparison[f"{label}, {rule}"] = wide[column][rule]
    order = table[["dataset", "operation"]].drop_duplicates()
    return order.merge(comparison.reset_index(), on=["dataset", "operation"])


# --- pooling trials -------------------------------------------------------------------------------


def pooling_means(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Mean and standard deviation of accuracies per pooling and rule, with those of the paper."""
    groups = rows.groupby(["pooling", "rule"], sort=False)
    table = pandas.DataFrame({"seeds": groups.size()})
    for stage in ("before", "right_after", "after_epoch"):
        table[stage] = groups[stage].mean()
        table[f"{stage}_deviation"] = groups[stage].std(ddof=0)
    table = table.reset_index()
    paper = published.table("ectonas-pooling").set_index(["pooling", "rule"]) / 100
    paper = paper.reindex(list(zip(table["pooling"], table["rule"], strict=True)))
    for stage in ("before", "right_after", "after_epoch"):
        table[f"paper_{stage}"] = paper[stage].to_numpy()
    return table


def pooling_markdown(table: pandas.DataFrame) -> str:
    """The pooling table in percent, compared with the paper, and the baselines below it."""

    def percent(value: float, deviation: float | None = None) -> str:
        spread = "" if deviation is None else f" ± {100 * deviation:.1f}"
        return "" if value != value else f"{100 * value:.1f}{spread}"

    lines = [
        {
            "pooling": row.pooling,
            "first dense layer": row.rule.replace("_", " "),
            "right after": percent(row.right_after, row.right_after_deviation),
            "paper, right after": percent(row.paper_right_after),
            "after 1 epoch": percent(row.after_epoch, row.after_epoch_deviation),
            "paper, 1 epoch": percent(row.paper_after_epoch),
        }
        for row in table.itertuples()
    ]
    before = table.iloc[0]
    return (
        markdown(pandas.DataFrame(lines))
        + f"\nBefore: {percent(before['before'], before['before_deviation'])} % over"
        + f" {before['seeds']} seeds (paper: {percent(before['paper_before'])} %).\n"
    )


# --- timing ---------------------------------------------------------------------------------------


def slowest(rows: Sequence[dict[str, Any]]) -> pandas.DataFrame:
    """The slowest position of each kind of operation, network and rule, and peak memory."""
    table = pandas.DataFrame(rows)
    is_removal = table["operation"].map(lambda name: by_name(name).is_removal)
    kind = is_removal.map({False: "growth", True: "removal"})
    table["kind"] = kind + ", " + table["rule"].str.replace("_", " ")
    groups = table.groupby(["millions", "network", "kind"], sort=False)
    worst = table.loc[groups["processor"].idxmax()].reset_index(drop=True)
    worst["peak"] = groups["peak"].max().to_numpy()
    columns = worst[["network", "parameters", "kind", "operation", "processor", "seconds", "peak"]]
    return columns.round({"seconds": 2, "processor": 2, "peak": 1}).reset_index(drop=True)
