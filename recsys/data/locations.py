"""Where a data set's files are: given by the user, inside an installed package, or at the publisher's."""

import importlib.util
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

import pooch
import requests
