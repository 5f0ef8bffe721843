"""`python -m tradeloom` is the `tradeloom` command."""

from tradeloom.cli import main

if __name__ == "__main__":
    main()
