# Meta-analysis of few estimates: REML with Hartung-Knapp, after metafor.
#
#   Rscript tests/reference/synthesis.R tests/reference
#
# writes synthesis_data.csv (made-up estimates and their variances) and synthesis_results.csv.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))
suppressPackageStartupMessages(library(metafor))

data <- rbind(
  data.frame(case = "heterogeneous", estimate = c(0.42, 0.10, 0.55, -0.12, 0.31, 0.68, 0.05, 0.24),
             variance = c(0.020, 0.012, 0.045, 0.018, 0.009, 0.030, 0.015, 0.025)),
  data.frame(case = "homogeneous", estimate = c(0.21, 0.27, 0.24, 0.30, 0.19, 0.25),
             variance = c(0.030, 0.021, 0.040, 0.050, 0.035, 0.028)),
  data.frame(case = "three", estimate = c(0.50, 0.15, 0.29), variance = c(0.010, 0.012, 0.020)),
  data.frame(case = "one_precise", estimate = c(0.10, 0.62, 0.44, 0.71, 0.38),
             variance = c(0.0004, 0.060, 0.050, 0.080, 0.045)))

tight <- list(threshold = 1e-13, maxiter = 10000, stepadj = 0.5)
fit_of <- function(rows, test) rma(estimate, variance, data = rows, method = "REML", test = test, control = tight)

tidy_rma <- function(fit) {
  spread <- suppressWarnings(confint(fit, control = list(tol = 1e-12, maxiter = 1e5, tau2.max = 1000)))$random
  range <- predict(fit)
  named("", c(
    estimate = fit$beta[1], se = fit$se, statistic = fit$zval, p = fit$pval, df = if (fit$test == "knha") fit$dfs else Inf,
    ci_low = fit$ci.lb, ci_high = fit$ci.ub, pi_low = range$pi.lb, pi_high = range$pi.ub,
    tau2 = fit$tau2, se_tau2 = fit$se.tau2, tau2_low = spread["tau^2", "ci.lb"],
    tau2_high = spread["tau^2", "ci.ub"], i2 = fit$I2, i2_low = spread["I^2(%)", "ci.lb"],
    i2_high = spread["I^2(%)", "ci.ub"], h2 = fit$H2, q = fit$QE, q_p = fit$QEp,
    loglik = as.numeric(logLik(fit)), k = fit$k))
}

left_out <- function(rows, test) {
  do.call(rbind, lapply(seq_len(nrow(rows)), function(one) {
    fit <- fit_of(rows[-one, ], test)
    named(sprintf("without:%d:", one), c(
      estimate = fit$beta[1], se = fit$se, ci_low = fit$ci.lb, ci_high = fit$ci.ub, p = fit$pval,
      tau2 = fit$tau2, i2 = fit$I2, q = fit$QE, q_p = fit$QEp))
  }))
}

write.csv(data, file.path(folder, "synthesis_data.csv"), row.names = FALSE, quote = FALSE)
results <- list()
for (case in unique(data$case)) for (test in c("knha", "z")) {
  rows <- data[data$case == case, ]
  rows <- rbind(tidy_rma(fit_of(rows, test)), if (test == "knha") left_out(rows, test))
  results[[length(results) + 1]] <- label(rows, case, "estimate ~ 1", paste0("rma REML test=", test), TRUE)
}
write_results(results, "synthesis_results.csv")
