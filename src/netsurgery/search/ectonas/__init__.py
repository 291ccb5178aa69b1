"""ECToNAS: generations, knockout brackets, and the order of their jobs."""
