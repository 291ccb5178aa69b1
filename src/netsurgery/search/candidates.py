"""The files of a candidate: its model, and its record next to it."""

from __future__ import annotations

from pathlib import Path

from netsurgery.keras_io import checkpoints
from netsurgery.keras_io.checkpoints import Checkpoint
from netsurgery.networks.topology import Topology
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json, verify_checksum


def record_path(model: Path) -> Path:
    """The record's file next to a model file."""
    return model.with_suffix(".json")


def read_record(model: Path) -> Record:
    """Read the record next to a model file."""
    return Record.from_json(read_json(record_path(model)))


def read_candidate(model: Path, record: Record) -> Checkpoint:
    """Read a candidate from its model file.

    Raises:
        DamagedFileError: the checksum differs from that in the record.
    """
    verify_checksum(model, record.model_sha256)
    return checkpoints.read(model, Topology.from_json(record.topology))
