"""`python -m medseg`, the same as `medseg`."""

from medseg.cli.main import main

if __name__ == "__main__":
    main()
