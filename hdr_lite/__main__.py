"""``python -m hdr_lite`` is ``hdr-lite``."""

import sys

from hdr_lite.cli import main

sys.exit(main())
