# Sessions in courses in therapists: simulated data and what lme4 makes of them.
#
#   Rscript tests/reference/nested.R tests/reference
#
# writes nested_<case>.csv (the data) and nested_results.csv (estimates, SE, (co)variances, REML and
# ML log-likelihood). lme4's own optimiser stops early now and then, so several are run with tight
# tolerances and the most likely fit is kept.

suppressPackageStartupMessages(library(lme4))

folder <- commandArgs(trailingOnly = TRUE)[1]

simulate <- function(seed, therapists, courses, sessions, sd_course, sd_slope, correlation,
                     sd_therapist, start = 0) {
  set.seed(seed)
  therapist_of <- rep(seq_len(therapists), length.out = courses)
  n <- sample(sessions, courses, replace = TRUE)
  covariance <- matrix(c(sd_course^2, correlation * sd_course * sd_slope,
                         correlation * sd_course * sd_slope, sd_slope^2), 2)
  effects <- matrix(rnorm(2 * courses), courses) %*% chol(covariance + diag(1e-12, 2))
  level <- rnorm(therapists, sd = sd_therapist)
  course <- rep(seq_len(courses), n)
  time <- unlist(lapply(n, seq_len)) - 1
  x <- rbinom(length(course), 1, 0.25)
  y <- 20 + 0.4 * time + 1.5 * x + effects[course, 1] + effects[course, 2] * time +
    level[therapist_of[course]] + rnorm(length(course), sd = 3)
  data.frame(course = sprintf("c%03d", course), therapist = sprintf("t%02d", therapist_of[course]),
             time = start + time, x = x, y = round(y, 3))
}

polished <- function(formula, data, reml) {
  control <- function(optimizer, ...) lmerControl(
    optimizer = optimizer, optCtrl = list(...), calc.derivs = FALSE, check.conv.singular = "ignore")
  controls <- list(
    control("bobyqa", rhobeg = 0.2, rhoend = 1e-10, maxfun = 1e5),
    control("Nelder_Mead", FtolAbs = 1e-12, FtolRel = 1e-15, XtolRel = 1e-12, maxfun = 1e5),
    control("nloptwrap", xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5))
  fits <- lapply(controls, function(one) {
    first <- lmer(formula, data, REML = reml, control = one)
    update(first, start = getME(first, "theta"))
  })
  fits[[which.max(sapply(fits, function(fit) as.numeric(logLik(fit))))]]
}

tidy <- function(case, formula, fit, reml) {
  fixed <- data.frame(name = names(fixef(fit)), value = fixef(fit))
  errors <- data.frame(name = paste0("se:", names(fixef(fit))), value = sqrt(diag(as.matrix(vcov(fit)))))
  random <- as.data.frame(VarCorr(fit))
  random$var2[is.na(random$var2)] <- ""
  components <- data.frame(
    name = ifelse(random$grp == "Residual", "residual",
                  paste0("cov:", random$grp, ":", random$var1, ":", random$var2)),
    value = random$vcov)
  rest <- data.frame(name = c("loglik", "aic", "singular"),
                     value = c(logLik(fit), AIC(fit), isSingular(fit)))
  cbind(case = case, formula = formula, reml = reml, rbind(fixed, errors, components, rest))
}

cases <- list(
  usual = simulate(1, 12, 60, 3:14, 4, 0.4, 0.3, 2),
  no_therapist_variance = simulate(2, 12, 60, 3:14, 4, 0.4, -0.4, 0),
  no_slope_variance = simulate(3, 10, 50, 2:9, 3, 0, 0, 1.5),
  no_course_variance = simulate(4, 8, 40, 4:8, 0, 0, 0, 0),
  time_far_from_zero = simulate(5, 12, 60, 3:14, 4, 0.4, 0.3, 2, start = 700))
formulas <- c("y ~ time + x + (1 | course)",
              "y ~ time + x + (1 + time | course)",
              "y ~ time + x + (1 | course) + (1 | therapist)",
              "y ~ time + x + (1 + time | course) + (1 | therapist)")

results <- list()
for (case in names(cases)) {
  write.csv(cases[[case]], file.path(folder, paste0("nested_", case, ".csv")), row.names = FALSE,
            quote = FALSE)
  for (formula in formulas) for (reml in c(TRUE, FALSE)) {
    fit <- suppressWarnings(polished(as.formula(formula), cases[[case]], reml))
    results[[length(results) + 1]] <- tidy(case, formula, fit, reml)
  }
}
results <- do.call(rbind, results)
results$value <- sprintf("%.12g", results$value)
write.csv(results, file.path(folder, "nested_results.csv"), row.names = FALSE)
