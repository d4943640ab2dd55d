"""The exchange between sites: what a study has found, in one file without a row of a person.

:mod:`.content` collects what a file holds, through the gate of :mod:`rupture_repair.disclosure`;
:mod:`.archive` writes and verifies files; :mod:`.imported` keeps those of other sites;
:mod:`.comparable` says which of them may be pooled with what is here. :mod:`.site_products` sums
cross products over courses, for one mixed model over sites, :mod:`.joint`
(docs/how-to-share-results.md).
"""
