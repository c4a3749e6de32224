"""What can be tried here at all."""

import sys

# Mount namespaces are Linux's.
collect_ignore = [] if sys.platform == "linux" else ["test_disks.py"]
