# Random-effects meta-analyses by metafor: REML, Hartung-Knapp, prediction interval, interval of tau2
# from the profile of Q, leave-one-out.
#
#   Rscript tests/reference/pooling.R tests/reference
#
# writes pooling_studies.csv (estimates and their errors) and pooling_results.csv (of all studies
# and without each of them). The default tolerance of the search for tau2 is too wide for a
# comparison to six digits, so it is narrowed.

suppressPackageStartupMessages(library(metafor))

folder <- commandArgs(trailingOnly = TRUE)[1]

simulate <- function(seed, k, mean, tau, low, high) {
  set.seed(seed)
  error <- exp(runif(k, log(low), log(high)))
  data.frame(estimate = rnorm(k, mean, sqrt(tau^2 + error^2)), error = error)
}

cases <- list(
  usual = simulate(1, 8, 0.2, 0.15, 0.05, 0.2),
  many = simulate(2, 40, -0.1, 0.3, 0.03, 0.3),
  homogeneous = data.frame(estimate = c(0.21, 0.24, 0.19, 0.22, 0.25), error = c(0.1, 0.2, 0.15, 0.1, 0.3)),
  no_variance = simulate(4, 6, 0.3, 0, 0.1, 0.4),
  two = data.frame(estimate = c(0.1, 0.6), error = c(0.1, 0.15)),
  three = simulate(6, 3, 0.1, 0.2, 0.05, 0.1),
  small_units = transform(simulate(7, 7, 0.2, 0.2, 0.05, 0.2), estimate = estimate / 1000, error = error / 1000),
  one_apart = rbind(simulate(8, 9, 0.2, 0.05, 0.05, 0.1), data.frame(estimate = 2, error = 0.1)),
  unequal = simulate(9, 10, 0, 0.1, 0.005, 1))

control <- list(threshold = 1e-14, maxiter = 10000, tol = 1e-14, tau2.max = 1e4)

fitted <- function(data) {
  fit <- rma(estimate, sei = error, data = data, method = "REML", test = "knha", control = control)
  prediction <- predict(fit)
  interval <- if (fit$k > 1) confint(fit, control = control)$random["tau^2", ] else rep(NA, 3)
  c(estimate = as.numeric(fit$beta), std_error = fit$se, df = fit$k - 1, statistic = fit$zval,
    p = fit$pval, ci_low = fit$ci.lb, ci_high = fit$ci.ub, prediction_low = prediction$pi.lb,
    prediction_high = prediction$pi.ub, tau2 = fit$tau2, tau2_low = interval[[2]],
    tau2_high = interval[[3]], i2 = fit$I2 / 100, h2 = fit$H2, q = fit$QE, q_p = fit$QEp)
}

studies <- do.call(rbind, lapply(names(cases), function(name) cbind(case = name, cases[[name]])))
results <- do.call(rbind, lapply(names(cases), function(name) {
  data <- cases[[name]]
  without <- if (nrow(data) > 2) seq_len(nrow(data)) else c()
  rows <- lapply(c(0, without), function(left_out) {
    kept <- if (left_out == 0) data else data[-left_out, ]
    found <- fitted(kept)
    data.frame(case = name, without = left_out, name = names(found), value = unname(found))
  })
  do.call(rbind, rows)
}))
studies[-1] <- lapply(studies[-1], formatC, digits = 17, format = "g", width = 1)
write.csv(studies, file.path(folder, "pooling_studies.csv"), row.names = FALSE, quote = FALSE)
results$value <- formatC(results$value, digits = 17, format = "g", width = 1)
write.csv(results, file.path(folder, "pooling_results.csv"), row.names = FALSE, quote = FALSE)
