"""``python -m passband``: the command line."""

from passband.cli import main

if __name__ == "__main__":
    main()
