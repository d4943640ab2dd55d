"""Whether the data look like data that the main model makes.

Each diagnostic is a curve: means or spreads of residuals along fitted values or sessions, ordered
residuals or effects, autocorrelations by lag. The same curve is computed from outcomes drawn from
the fitted model with its own sessions (:func:`rupture_repair.statistics.blocks.draw`), and the
data's is compared with those. So what estimation itself does to residuals (they are shrunken, and
slightly negatively correlated within courses) is in the reference too. The rest asks what the
estimates hang on: single therapists, and the ends of the scales.

Rows of the table, by `diagnostic`:

residual
    Residual in residual SD (`value`) at a fitted value (`x`); at most :data:`POINTS`.
mean, spread
    Mean and SD of the residuals, in residual SD, of `n` sessions in ranges of the fitted
    value with equal numbers (`x`: its mean).
time
    Mean of the residuals of `n` sessions in ranges of the session number (`x`: its mean).
quantiles
    Ordered values of `of` (residual, or a level and effect such as "course Intercept"),
    standardised, against normal quantiles (`x`). Effects are divided by the standard
    deviation that each should have (Lange & Ryan 1989, doi 10.1214/aos/1176347130).
shape
    Skewness and excess kurtosis (`part`) of the same.
autocorrelation
    Of residuals `x` session numbers apart in the same course, over `n` pairs; session
    numbers are those of the outcome, and a pair never is one outcome twice.
rho
    Correlation of neighbouring residuals in the variant with autocorrelated residuals.
influence
    Estimate of the term `of` without the therapist, or group of courses, `part`, who has
    `n` courses; `reference` is the estimate from all, `x` the difference between the two
    over the standard error of the former.
ends
    Share of `n` ratings of the measure `of`, or of courses, at an end of the scale
    (`part`).
"""
