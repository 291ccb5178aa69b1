"""The commands of the workflow's rules: each reads files, decides or trains, and writes files."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's other work runs on
