"""Networks as values: layers, topologies, arrays, inference in numpy."""
