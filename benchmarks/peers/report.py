"""Write the tables and the plot of what `benchmarks.peers` has run.

    python -m benchmarks.peers.report OUTPUT

OUTPUT gets `comparison.md` and `comparison.png`. This runs in netsurgery's own environment.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.peers import plot, results, table


def main(arguments: list[str] | None = None) -> None:
    """Write both files and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path)
    output = parser.parse_args(arguments).output
    groups = table.grouped(results.read(output))
    if not groups:
        parser.error(f"no results in {output / 'runs'}: run python -m benchmarks.peers first")
    text = f"{table.accuracies(groups)}\n{table.details(groups)}"
    (output / "comparison.md").write_text(text, encoding="utf-8")
    plot.write(groups, output / "comparison.png")
    print(text, end="")


if __name__ == "__main__":
    main()
