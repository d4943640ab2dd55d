"""From estimates to a verdict per claim.

``workflow/claims.yaml`` says what each claim is estimated by and what effect would matter;
:mod:`rupture_repair.claims.estimands` estimates, :func:`rupture_repair.claims.verdicts.verdict`
judges by a written rule, never by p alone.
"""

from .components import components_of
from .table import COLUMNS, claims_of
from .verdicts import VERDICTS, Claim, Part, load, verdict

__all__ = ["COLUMNS", "VERDICTS", "Claim", "Part", "claims_of", "components_of", "load", "verdict"]
