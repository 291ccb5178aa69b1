"""`python -m netsurgery`: the netsurgery command."""

from netsurgery.cli.main import main

if __name__ == "__main__":
    main()
