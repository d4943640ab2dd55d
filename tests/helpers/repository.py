"""Where the project and the public datasets are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: The folder with the public datasets.
MIRROR = Path(os.environ.get("RUPTURE_REPAIR_MIRROR", ROOT.parent / "shared/data"))
