"""The commands of the workflow's rules: each reads files, decides or trains, and writes files."""
