"""The models that link rupture and repair to outcome, and one interface that fits them.

:data:`MODELS` holds each model as data: formula in lme4's notation, the question in words, what a
coefficient means. :func:`fit` fits any such formula and returns tidy rows with a status;
:func:`fit_all` does so for every alliance measure, criterion, model and variant of a dataset.
A model that cannot be fitted is a row with its reason, and never stops the others.
:func:`flow_of` counts what was left out on the way to the main model.
"""
