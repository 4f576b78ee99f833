#!/usr/bin/env python3
"""AVSeg Studio: start it by a double click, by dropping a video on it, or with a command (see --help).

The first start makes a private environment beside this file; until then only the standard library is used.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (an older Python must get this line, not a syntax error)
    sys.exit("AVSeg Studio needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info[:2]))

if __name__ == "__main__":
    try:
        from avseg_core.environment.launcher import main

        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.stderr.write("avseg: Interrupted.\n")
        sys.exit(130)
