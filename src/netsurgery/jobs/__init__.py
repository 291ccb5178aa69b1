"""The commands behind the workflow's rules: read files, decide or train, write files."""
