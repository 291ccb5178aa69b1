"""Reports on finished searches: the HTML report, the model card, the error analysis."""
