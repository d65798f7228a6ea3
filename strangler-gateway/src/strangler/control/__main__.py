"""``python -m strangler.control``: the control process, as the supervisor starts it."""

import sys

from strangler.control.process import main

if __name__ == "__main__":
    sys.exit(main())
