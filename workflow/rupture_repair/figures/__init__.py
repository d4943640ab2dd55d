"""Figures of the report: tables in, a figure and the table of the numbers drawn out.

One style: :func:`courses` (a few courses with their episodes), :func:`one_course`, :func:`raster`
(every course by session and state), :func:`episodes_per_criterion`, :func:`observed_and_expected`
(compared with chance), :func:`criterion_pictures` (what each criterion finds),
:func:`agreement` (pairs of criteria), :func:`episode_shapes`,
:func:`ending_hazard`, :func:`components` (their reliability), :func:`effects_forest`,
:func:`diagnostic_figures` (does the model describe the data?), :func:`specification_curve`,
:func:`power_curve` (of planned studies) and, of all datasets, :func:`synthesis_forest`.
:func:`save` writes a figure for print, for the web and as numbers; :func:`alt_text` says it in
words.
"""
