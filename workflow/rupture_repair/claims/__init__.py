"""From estimates to a verdict per claim.

``knowledge/claims.yaml`` says what each claim is estimated by and what effect would matter;
:mod:`rupture_repair.claims.estimands` estimates, :func:`rupture_repair.claims.verdicts.verdict`
judges by a written rule, never by p alone.
"""
