"""Words of the certificate, which its report has, too."""

import math

#: The row of what is best possible.
BEST = "best_possible"

#: Classes of depth, in SD of the course: from, and below.
CLASSES = {
    "all": (0.0, math.inf),
    "under 1.5": (0.0, 1.5),
    "1.5 to 2.5": (1.5, 2.5),
    "2.5 to 4": (2.5, 4.0),
    "4 and more": (4.0, math.inf),
}
