"""What all tests share: Qt without a screen, and no file of the user's is touched."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
