"""How to use a final model: lines of Python that need pandas and Keras, not netsurgery."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from netsurgery.datasets.columns import CATEGORY
from netsurgery.datasets.dates import format_of
from netsurgery.datasets.joined_inputs import description_of, input_name, parts_of
from netsurgery.datasets.table_inputs import (
    date_columns,
    input_names,
    missing_markers,
    needs_double,
    read_options,
    takes_rows,
)

LOAD = 'import keras\n{more}\nmodel = keras.models.load_model("model.keras")\n'
WIDTH = 88


def usage_snippet(data: Mapping[str, Any]) -> str:
    """Lines of Python that load the model and predict.

    They take a table as `pandas.read_csv` reads it, with further columns and in any order.

    Args:
        data: description of the prepared dataset.
    """
    if data["inputs"]:
        return _snippet_of_inputs(data)
    if data["columns"]:
        return _table_snippet(data)
    shape = ["any height", "any width", data["shape"][-1]] if data["resized"] else data["shape"]
    expected = f"# ({', '.join(map(str, ['samples', *shape]))}), unscaled"
    if needs_double(data):
        call = "outputs = model(samples)"
        expected += "; model.predict would round them to float32"
    else:
        call = "outputs = model.predict(samples)"
    return LOAD.format(more="") + f"{call}  {expected}"


def _snippet_of_inputs(data: Mapping[str, Any]) -> str:
    """Lines for a model of several inputs: arrays by name, or a table with arrays beside it."""
    lines, entries, table = list[str](), list[str](), False
    for part in parts_of(data):
        own, name = description_of(data, part), input_name(data, part.name)
        if own["columns"]:
            table = True
            lines += _inputs_of_table(own, name)
            continue
        shape = own["shape"]
        shape = ["any height", "any width", shape[-1]] if own["resized"] else shape
        expected = ", ".join(map(str, ["samples", *shape]))
        entries.append(f"inputs[{_python(name)}] = {_identifier(name)}  # ({expected}), unscaled")
    double = any(needs_double(description_of(data, part)) for part in parts_of(data))
    call = (
        "outputs = model(inputs)  # model.predict would round numbers to float32"
        if double
        else "outputs = model.predict(inputs)"
    )
    lines = lines if table else ["inputs = {}"]
    more = "import pandas as pd\n" if table else ""
    return LOAD.format(more=more) + "\n".join([*lines, *entries, call])


def _identifier(name: str) -> str:
    """A name of Python for an array."""
    return name if name.isidentifier() else "samples"


def _inputs_of_table(data: Mapping[str, Any], name: str) -> list[str]:
    """Lines that make the inputs of a table, which is one of several."""
    *lines, _ = _lines_of_table(data)  # without the call
    if takes_rows(data):
        return [*lines, f"inputs = {{{_python(name)}: rows.to_numpy(float)}}"]
    start = lines.index("inputs = {")
    columns = list(input_names(data["columns"]).values())
    lines[start + 1 :] = [
        line.replace("for column in model.inputs", f"for column in model.inputs[:{len(columns)}]")
        for line in lines[start + 1 :]
    ]
    return lines


def _table_snippet(data: Mapping[str, Any]) -> str:
    return LOAD.format(more="import pandas as pd\n") + "\n".join(_lines_of_table(data))


def _lines_of_table(data: Mapping[str, Any]) -> list[str]:
    lines = [
        f"# table = {read_call(data)}",
        "table = table.rename(columns=lambda name: str(name).strip())",
    ]
    if dates := date_columns(data):
        lines += [
            f"for name in {_python(dates)}:  # as days since 1970",
            "    times = pd.to_datetime(table[name], "
            f"format={_python(format_of(data['settings']))}, utc=True)",
            '    table[name] = (times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)',
        ]
    names = input_names(data["columns"])
    if renamed := {column: name for column, name in names.items() if column != name}:
        lines.append(f"table = table.rename(columns={_python(renamed)})")
    if takes_rows(data):
        columns = [column["name"] for column in data["columns"]]
        lines += [
            *_assigned("columns", columns),
            f"rows = table[columns]{_without_markers(data)}.apply(pd.to_numeric)",
            "outputs = model.predict(rows.to_numpy(float))",
        ]
    else:
        lines += _columns(data)
    return lines


def _columns(data: Mapping[str, Any]) -> list[str]:
    """Lines for a model that takes the columns of a table by name."""
    texts = any(column["kind"] == CATEGORY for column in data["columns"])
    text = 'table[column.name].astype(str).str.strip().fillna("").to_numpy(object)'
    number = f"pd.to_numeric(table[column.name]{_without_markers(data)}).astype(float).to_numpy()"
    entry = (
        [f"    column.name: {text}", '    if column.dtype == "string"', f"    else {number}"]
        if texts
        else [f"    column.name: {number}"]
    )
    call = (
        ["outputs = model(inputs)  # model.predict would round numbers to float32"]
        if needs_double(data)
        else ["outputs = model.predict(inputs)"]
    )
    return [
        "inputs = {",
        *entry,
        "    for column in model.inputs",
        "}",
        *call,
    ]


def _without_markers(data: Mapping[str, Any]) -> str:
    """A call that takes away what means a missing number."""
    markers = missing_markers(data)
    return f".replace({_python(markers)}, None)" if markers else ""


def read_call(data: Mapping[str, Any]) -> str:
    """The call of pandas that reads a table as the settings of its dataset say."""
    path = _python(data["settings"].get("path", "table.csv"))
    if data["settings"].get("source") == "parquet":
        return f"pd.read_parquet({path}){'.reset_index()' if data['reading'] else ''}"
    if data["settings"].get("source") == "excel":
        given = "".join(f", {key}={_python(value)}" for key, value in data["reading"].items())
        return f"pd.read_excel({path}{given})"
    options = read_options(data["reading"], data).items()
    return f"pd.read_csv({path}{''.join(f', {key}={_python(value)}' for key, value in options)})"


def _python(value: Any) -> str:
    """A value as Python writes it, with double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_python, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_python(k)}: {_python(v)}" for k, v in value.items()) + "}"
    return value.__name__ if isinstance(value, type) else repr(value)


def _assigned(name: str, values: Sequence[str]) -> list[str]:
    """Lines that assign a list of texts to a name."""
    line = f"{name} = {_python(list(values))}"
    if len(line) <= WIDTH:
        return [line]
    lines = [f"{name} = ["]
    for text in values:
        item = f"{_python(text)},"
        if len(lines) > 1 and len(lines[-1]) + len(item) < WIDTH:
            lines[-1] += f" {item}"
        else:
            lines.append(f"    {item}")
    return [*lines, "]"]
