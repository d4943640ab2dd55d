# Sessions in courses in therapists: simulated data and what lme4 and lmerTest make of them.
#
#   Rscript tests/reference/nested.R tests/reference
#
# writes nested_<case>.csv (the data) and nested_results.csv.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))
source(file.path(here, "simulated.R"))

cases <- list(
  usual = simulate_sessions(1, 12, 60, 3:14, 4, 0.4, 0.3, 2),
  no_therapist_variance = simulate_sessions(2, 12, 60, 3:14, 4, 0.4, -0.4, 0),
  no_slope_variance = simulate_sessions(3, 10, 50, 2:9, 3, 0, 0, 1.5),
  no_course_variance = simulate_sessions(4, 8, 40, 4:8, 0, 0, 0, 0),
  time_far_from_zero = simulate_sessions(5, 12, 60, 3:14, 4, 0.4, 0.3, 2, start = 700))
formulas <- c("y ~ time + x + (1 | course)",
              "y ~ time + x + (1 + time | course)",
              "y ~ time + x + (1 | course) + (1 | therapist)",
              "y ~ time + x + (1 + time | course) + (1 | therapist)")

results <- list()
for (case in names(cases)) {
  write_data(cases[[case]], paste0("nested_", case))
  for (formula in formulas) for (reml in c(TRUE, FALSE)) {
    fit <- polished(as.formula(formula), cases[[case]], reml)
    rows <- tidy(case, formula, fit, reml, cases[[case]], brief = TRUE)
    if (case == "time_far_from_zero")
      rows <- with_df_of_centred(rows, as.formula(formula), cases[[case]], reml, "time")
    results[[length(results) + 1]] <- rows
  }
}
write_results(results, "nested_results.csv")
