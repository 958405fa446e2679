"""`python -m recsys` is the `recsys` command."""

import sys

from recsys.commands.cli import main

sys.exit(main())
