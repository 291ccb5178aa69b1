"""What people read of a search: the HTML report, the model card, the error analysis."""
