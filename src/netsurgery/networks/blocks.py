"""Blocks: layers that hold inner rows of layers, which run beside each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from netsurgery.networks.layers import JOINS, Join, KeptJoin, Layer, layer_from_json
from netsurgery.networks.layers.joining import Add

Row = tuple["Layer | Block", ...]


@dataclass(frozen=True)
class Block(ABC):
    """Rows of layers that take the same input, and a layer that joins their outputs.

    Attributes:
        kind: identifies the kind of block in records.
        rows: from input to output; an empty one passes the input on.
        row_names: what paths call the rows.
        join: makes one output of those of the rows.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def rows(self) -> tuple[Row, ...]: ...

    @property
    @abstractmethod
    def row_names(self) -> tuple[str, ...]: ...

    @property
    @abstractmethod
    def join(self) -> Join: ...

    @abstractmethod
    def with_rows(self, rows: Sequence[Row]) -> Self:
        """The block with other rows, as many as before."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain values: the kind, and the layers of the rows."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The block that `to_json` wrote."""


@dataclass(frozen=True)
class Residual(Block):
    """Adds the output of its body to its input.

    Attributes:
        body: the layers that compute what is added.
        shortcut: layers that give the input the shape of the body's output; by default none.
    """

    body: Row
    shortcut: Row = ()
    kind: ClassVar[str] = "residual"

    def __str__(self) -> str:
        return f"residual block ({listed(self.body)})"

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.body, self.shortcut

    @property
    def row_names(self) -> tuple[str, ...]:
        return "body", "shortcut"

    @property
    def join(self) -> Join:
        return Add()

    def with_rows(self, rows: Sequence[Row]) -> Self:
        body, shortcut = rows
        return replace(self, body=body, shortcut=shortcut)

    def to_json(self) -> dict[str, Any]:
        shortcut = {"shortcut": row_to_json(self.shortcut)} if self.shortcut else {}
        return {"kind": self.kind, "body": row_to_json(self.body), **shortcut}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(row_from_json(values["body"]), row_from_json(values.get("shortcut", ())))


@dataclass(frozen=True)
class Branches(Block):
    """Rows of equal rank, which paths number from 0.

    Attributes:
        branches: the rows.
    """

    branches: tuple[Row, ...]

    def __str__(self) -> str:
        return f"{self.join} of {', '.join(f'({listed(row)})' for row in self.branches)}"

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.branches

    @property
    def row_names(self) -> tuple[str, ...]:
        return tuple(map(str, range(len(self.branches))))

    def with_rows(self, rows: Sequence[Row]) -> Self:
        return replace(self, branches=tuple(rows))


@dataclass(frozen=True)
class Parallel(Branches):
    """Rows whose outputs are concatenated, added or multiplied.

    Attributes:
        function: how they are joined, a key of `netsurgery.networks.layers.JOINS`.
    """

    function: str = "concatenate"
    kind: ClassVar[str] = "parallel"

    @property
    def join(self) -> Join:
        return JOINS[self.function]

    def to_json(self) -> dict[str, Any]:
        rows = [row_to_json(row) for row in self.branches]
        return {"kind": self.kind, "rows": rows, "join": self.function}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(tuple(map(row_from_json, values["rows"])), values["join"])


@dataclass(frozen=True)
class Kept(Branches):
    """Rows that end in a layer which surgery keeps as it is.

    Attributes:
        layer: takes their outputs.
    """

    layer: KeptJoin
    kind: ClassVar[str] = "kept"

    @property
    def join(self) -> Join:
        return self.layer

    def to_json(self) -> dict[str, Any]:
        rows = [row_to_json(row) for row in self.branches]
        return {"kind": self.kind, "rows": rows, "layer": self.layer.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        settings = {name: value for name, value in values["layer"].items() if name != "kind"}
        return cls(tuple(map(row_from_json, values["rows"])), KeptJoin(**settings))


BLOCKS: dict[str, type[Block]] = {block.kind: block for block in (Residual, Parallel, Kept)}


def listed(row: Row) -> str:
    """The layers of a row, for display."""
    return ", ".join(map(str, row)) or "its input"


def row_to_json(row: Row) -> list[dict[str, Any]]:
    """Plain values of a row's layers and blocks."""
    return [node.to_json() for node in row]


def row_from_json(values: Sequence[Mapping[str, Any]]) -> Row:
    """The row that `row_to_json` wrote.

    Raises:
        KeyError: there is no such kind of layer or block.
    """
    return tuple(
        BLOCKS[node["kind"]].from_json(node) if node["kind"] in BLOCKS else layer_from_json(node)
        for node in values
    )
