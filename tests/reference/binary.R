# Binary outcomes in clusters: simulated data and what lme4's glmer and geepack's geeglm make of them.
#
#   Rscript tests/reference/binary.R tests/reference
#
# writes binary_<case>.csv (the data), binary_results.csv (glmer with 1 and 7 quadrature points:
# estimates, SE, SD of the intercepts, log-likelihood), binary_modes.csv (conditional modes of one
# case, with their SD, and predicted probabilities) and binary_gee.csv.
#
# glmer's own optimisers stop early now and then, so several are run with tight tolerances, the most
# likely fit is kept, and Newton's method on glmer's deviance function ends the search. glmer's
# standard errors come from a Hessian by simple differences, good to about four digits
# ("se_glmer:"); "se:" are from the same function by Richardson's extrapolation (numDeriv). The case
# "large" is not written: it comes from a formula in whole numbers that tests/golden/test_glmer.py
# has as well.

suppressPackageStartupMessages({library(lme4); library(numDeriv); library(geepack)})

folder <- commandArgs(trailingOnly = TRUE)[1]

simulate <- function(seed, sizes, sd, covariates, beta) {
  set.seed(seed)
  cluster <- rep(seq_along(sizes), sizes)
  x <- covariates(length(cluster))
  level <- rnorm(length(sizes), sd = sd)
  eta <- beta[1] + as.matrix(x) %*% beta[-1] + level[cluster]
  data.frame(therapist = sprintf("t%03d", cluster), x, y = rbinom(length(eta), 1, plogis(eta)))
}

courses <- function(n) data.frame(
  severity = round(rnorm(n, 22, 6), 1), n_repaired = rpois(n, 0.8),
  alliance = round(rnorm(n, 5.2, 0.7), 2))
pair <- function(n) data.frame(x = round(rnorm(n), 3), exposed = rbinom(n, 1, 0.3))

# Sessions until a course ends, one row per session at risk; more open ruptures, more endings.
hazard <- function(seed, therapists, number) {
  set.seed(seed)
  level <- rnorm(therapists, sd = 0.7)
  therapist <- rep(seq_len(therapists), length.out = number)
  rows <- lapply(seq_len(number), function(course) {
    open <- rbinom(8, 1, 0.25)
    eta <- -2.2 + 0.12 * seq_len(8) + 0.8 * open + level[therapist[course]]
    end <- rbinom(8, 1, plogis(eta))
    last <- if (any(end == 1)) which(end == 1)[1] else 8
    data.frame(therapist = sprintf("t%03d", therapist[course]), session = seq_len(last),
               open_prev = open[seq_len(last)], y = end[seq_len(last)])
  })
  rows <- do.call(rbind, rows)
  rows$session <- sprintf("s%d", rows$session)
  rows
}

# Whole numbers below 2^53 are exact everywhere, so that both languages draw the same.
drawn <- function(k, a, b) ((k * k * a + k * b) %% 2147483647) / 2147483647
large <- function(number = 20000, therapists = 800) {
  k <- seq_len(number)
  therapist <- floor(drawn(k, 16807, 48271) * therapists) + 1
  severity <- floor(drawn(k, 69621, 40692) * 41)
  n_repaired <- floor(drawn(k, 39373, 30269) * 4)
  alliance <- floor(drawn(k, 30323, 16807) * 601) / 100
  level <- qnorm(drawn(seq_len(therapists), 48271, 69621)) * 0.8
  eta <- -0.4 - 0.05 * (severity - 20) + 0.25 * n_repaired + 0.2 * (alliance - 3) + level[therapist]
  data.frame(therapist = therapist, severity = severity, n_repaired = n_repaired,
             alliance = alliance, y = as.integer(drawn(k, 40692, 39373) < plogis(eta)))
}

control <- function(optimizer, ...) glmerControl(
  optimizer = optimizer, optCtrl = list(...), calc.derivs = FALSE, tolPwrss = 1e-13,
  check.conv.singular = "ignore", check.conv.grad = "ignore")
controls <- list(
  control("bobyqa", rhobeg = 0.1, rhoend = 1e-9, maxfun = 1e5),
  control("Nelder_Mead", FtolAbs = 1e-13, FtolRel = 1e-15, XtolRel = 1e-12, maxfun = 1e5),
  control("nloptwrap", xtol_abs = 1e-11, ftol_abs = 1e-12, maxeval = 1e5))

polished <- function(formula, data, points, controls) {
  fits <- lapply(controls, function(one) {
    first <- glmer(formula, data, family = binomial, nAGQ = points, control = one)
    start <- list(theta = getME(first, "theta"), fixef = fixef(first))
    update(first, start = start)
  })
  fits[[which.max(sapply(fits, function(fit) as.numeric(logLik(fit))))]]
}

# Newton's method on glmer's own deviance function, with derivatives by Richardson's extrapolation
# in units of standard errors; returns optimum, joint standard errors and deviance.
newton <- function(formula, data, points, fit) {
  deviance <- glmer(formula, data, family = binomial, nAGQ = points, devFunOnly = TRUE,
                    control = glmerControl(tolPwrss = 1e-13))
  at <- c(getME(fit, "theta"), fixef(fit))
  scale <- c(0.3 * at[1], sqrt(diag(as.matrix(vcov(fit, use.hessian = FALSE)))))
  steps <- list(eps = 0.4, r = 4)
  for (round in 1:3) {
    local <- function(z) deviance(at + z * scale)
    second <- hessian(local, 0 * at, method.args = steps)
    if (round < 3) at <- at - scale * solve(second, grad(local, 0 * at, method.args = steps))
  }
  list(at = at, errors = sqrt(diag(2 * solve(second))) * scale, deviance = deviance(at))
}

tidy <- function(case, formula, data, points, fit) {
  singular <- isSingular(fit)
  terms <- names(fixef(fit))
  part <- function(name, value) data.frame(name = name, value = unname(value))
  if (singular) {
    smaller <- glm(nobars(formula), binomial, data, control = list(epsilon = 1e-14))
    rows <- rbind(part(terms, coef(smaller)), part(paste0("se:", terms), sqrt(diag(vcov(smaller)))),
                  part(c("sd", "loglik"), c(0, logLik(smaller))))
    stopifnot(abs(logLik(smaller) - logLik(fit)) < 1e-6)
  } else {
    best <- newton(formula, data, points, fit)
    default <- update(fit, start = list(theta = getME(fit, "theta"), fixef = fixef(fit)),
                      control = glmerControl(tolPwrss = 1e-10, check.conv.grad = "ignore",
                                             optimizer = "bobyqa",
                                             optCtrl = list(rhobeg = 1e-4, rhoend = 1e-9)))
    rows <- rbind(part(c("sd", terms), best$at), part(paste0("se:", c("sd", terms)), best$errors),
                  part(paste0("se_glmer:", terms), sqrt(diag(as.matrix(vcov(default))))),
                  part("loglik", -best$deviance / 2),
                  part("loglik_glmer", as.numeric(logLik(fit))))
  }
  rows <- rbind(rows, part(c("aic", "singular"), c(AIC(fit), singular)))
  cbind(case = case, formula = paste(deparse(formula), collapse = " "), points = points, rows)
}

cases <- list(
  usual = simulate(1, sample(c(5:25), 40, TRUE), 0.8, courses, c(-0.5, -0.06, 0.4, 0.3)),
  zero_variance = simulate(11, rep(12, 30), 0, pair, c(0.2, 0.5, -0.6)),
  near_zero = simulate(4, rep(12, 30), 0, pair, c(0.2, 0.5, -0.6)),
  small_clusters = simulate(3, rep(3:8, length.out = 240), 1.2, pair, c(-0.3, 0.6, 0.5)),
  single_rows = simulate(5, c(rep(1, 60), 2:30, 80), 0.9, pair, c(0.4, 0.5, -0.7)),
  strong = simulate(6, rep(2:6, length.out = 150), 3, pair, c(0, 1, 1)),
  hazard = hazard(7, 30, 420))
formulas <- list(
  usual = y ~ severity + n_repaired + alliance + (1 | therapist),
  hazard = y ~ session + open_prev + (1 | therapist),
  other = y ~ x + exposed + (1 | therapist))

results <- list(); modes <- list(); gee <- list()
for (case in names(cases)) {
  data <- cases[[case]]
  write.csv(data, file.path(folder, paste0("binary_", case, ".csv")), row.names = FALSE, quote = FALSE)
  formula <- formulas[[if (case %in% names(formulas)) case else "other"]]
  for (points in c(1, 7)) {
    fit <- suppressWarnings(polished(formula, data, points, controls))
    results[[length(results) + 1]] <- suppressWarnings(tidy(case, formula, data, points, fit))
    if (case == "usual") {
      effects <- as.data.frame(ranef(fit, condVar = TRUE))
      modes[[length(modes) + 1]] <- data.frame(
        points = points, kind = "mode", name = as.character(effects$grp), value = effects$condval, sd = effects$condsd)
      modes[[length(modes) + 1]] <- data.frame(
        points = points, kind = "probability", name = seq_len(nrow(data)), value = predict(fit, type = "response"), sd = NA)
      modes[[length(modes) + 1]] <- data.frame(
        points = points, kind = "typical", name = seq_len(nrow(data)),
        value = predict(fit, type = "response", re.form = NA), sd = NA)
    }
  }
  if (case %in% c("usual", "small_clusters")) {
    fit <- geeglm(nobars(formula), binomial, data, id = as.integer(factor(data$therapist)),
                  corstr = "exchangeable", control = geese.control(epsilon = 1e-12, maxit = 200))
    table <- summary(fit)$coefficients
    gee[[length(gee) + 1]] <- data.frame(
      case = case, name = c(rownames(table), "correlation"),
      value = c(table[, 1], fit$geese$alpha), se = c(table[, 2], NA))
  }
  cat(case, "\n")
}
data <- large()
for (points in c(1, 7)) {
  fit <- suppressWarnings(polished(formulas$usual, data, points, controls[1]))
  results[[length(results) + 1]] <- suppressWarnings(tidy("large", formulas$usual, data, points, fit))
}
checks <- data.frame(case = "large", formula = "data", points = 0, name = c("events", "place"),
                     value = c(sum(data$y), sum(data$y * seq_along(data$y))))
results <- rbind(do.call(rbind, results), checks)
write <- function(table, name) {
  for (column in intersect(names(table), c("value", "sd", "se"))) {
    table[[column]] <- sprintf("%.12g", table[[column]])
  }
  write.csv(table, file.path(folder, paste0("binary_", name, ".csv")), row.names = FALSE)
}
write(results, "results"); write(do.call(rbind, modes), "modes"); write(do.call(rbind, gee), "gee")
