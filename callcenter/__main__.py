"""`python -m callcenter` and the console script `callcenter`."""

import sys


def main() -> int:
    from callcenter.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
