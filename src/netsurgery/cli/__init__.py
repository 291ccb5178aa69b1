"""The `netsurgery` command: one module per subcommand, assembled by `netsurgery.cli.main`."""
