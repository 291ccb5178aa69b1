"""`netsurgery operate`: apply one operation to a Keras model."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np

from netsurgery.cli.arguments import Subparsers, non_negative_int
from netsurgery.cli.quiet import no_stderr
from netsurgery.networks.layers import POOLINGS
from netsurgery.networks.steps import Place
from netsurgery.surgery import OPERATIONS, Mutation, MutationSizes
from netsurgery.surgery.operations import by_name
from netsurgery.surgery.operations.widths import ChangeOfWidth
from netsurgery.surgery.settings import Growth


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "operate",
        help="apply one operation to a Keras model",
        allow_abbrev=False,
        description="Apply one operation to a Keras model and write the result. The"
        " names and settings of the other layers stay, and so do the compile settings and the"
        " optimizer's state for the weights that remain.",
    )
    command.set_defaults(run=run)
    command.add_argument("model", type=Path, metavar="MODEL", help="a .keras or .h5 file")
    command.add_argument("out", type=Path, metavar="OUT.keras")
    command.add_argument(
        "--operation",
        choices=[operation.name for operation in OPERATIONS],
        required=True,
        metavar="NAME",
        help="one of " + ", ".join(operation.name for operation in OPERATIONS),
    )
    command.add_argument(
        "--position",
        type=_place,
        help="the layer to change, or before which to insert: its position, such as 3 or"
        " 3.body.1, or its name; `netsurgery operations` lists the legal ones",
    )
    command.add_argument(
        "--width", type=int, help="units or channels of the result; for truncate, the rank"
    )
    command.add_argument(
        "--factor",
        type=_factor,
        help="instead of --width: how many times as wide, or as narrow, as before",
    )
    command.add_argument(
        "--pooling", choices=POOLINGS, help="pooling of an added conv cell (default: average)"
    )
    command.add_argument(
        "--seed",
        type=non_negative_int,
        default=0,
        help="selects which units or channels are copied (default: 0)",
    )
    command.add_argument(
        "--calibration",
        type=Path,
        metavar="SAMPLES",
        help="model inputs, as .npy or .npz: fit the remaining layers to these samples by least"
        " squares after a removal",
    )
    command.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="relative size of noise on the units or channels that add_units and add_channels copy"
        " (default: 0, which is exact)",
    )
    command.add_argument(
        "--growth",
        choices=[*map(str, Growth)],
        default=str(Growth.COPIES),
        help="what add_units and add_channels add: copies that share their outgoing weights, at"
        " random or equally, or new ones whose outgoing weights are zeros (default: copies)",
    )
    command.add_argument(
        "--uncompiled",
        action="store_true",
        help="drop the compile settings; needed if the loss or a metric is your own code",
    )
    command.add_argument("--force", action="store_true", help="overwrite OUT.keras")


def _place(text: str) -> Place:
    """A position in the main row as a number; any other place, or a layer's name, as it is."""
    return int(text) if text.removeprefix("-").isdecimal() else text


def run(given: argparse.Namespace) -> None:
    """Apply the operation, write the result and print a summary."""
    _check_output(given.model, given.out, force=given.force)
    _check_factor(given)
    with no_stderr():
        import keras

        from netsurgery.keras_io import archive, model_surgery, user_files

        keras.config.set_floatx("float32")  # of counters and rates, whatever keras.json says
        calibration = given.calibration and user_files.read_samples(given.calibration)
        result = model_surgery.apply(
            user_files.read_model(given.model, compiled=not given.uncompiled),
            Mutation(by_name(given.operation), given.position, given.width, given.pooling),
            np.random.default_rng(given.seed),
            calibration=calibration,
            noise=given.noise,
            growth=given.growth,
            sizes=MutationSizes(width_factor=given.factor),
        )
        archive.save(result.model, given.out)
    print(f"{given.out}: {result.summary}")


def _factor(text: str) -> float:
    """Parse a finite number above 1."""
    number = float(text)
    if not 1 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 1")
    return number


def _check_factor(given: argparse.Namespace) -> None:
    """Exit with a message if a factor cannot say how wide the result is."""
    if given.factor is None:
        return
    if given.width is not None:
        sys.exit("--factor and --width both say how wide the result is: give one of them")
    if not isinstance(by_name(given.operation), ChangeOfWidth):
        sys.exit(f"--factor: {given.operation} makes no layer wider or narrower")


def _check_output(model: Path, out: Path, *, force: bool) -> None:
    """Exit with a message if the result cannot be written."""
    if out.suffix != ".keras":
        sys.exit(f"{out}: the name of a Keras model must end in .keras")
    if not out.parent.is_dir():
        sys.exit(f"{out.parent}: no such folder")
    if out.exists():
        if model.exists() and out.samefile(model):
            sys.exit(f"{out}: would overwrite the model that is read; choose another name")
        if not force:
            sys.exit(f"{out}: the file exists; use --force to overwrite it")
