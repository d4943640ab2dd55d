# Simulated data that are hard for mixed models, each in its own way, and what lme4 makes of them.
#
#   Rscript tests/reference/linear.R tests/reference
#
# writes linear_<case>.csv (the data) and linear_results.csv.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))
source(file.path(here, "simulated.R"))

# Courses of one session, therapists with one client, and one therapist with many.
unbalanced <- function() {
  set.seed(11)
  data <- simulate_sessions(11, 8, 80, c(1, 1, 1, 2, 3, 5, 9, 20), 3, 0.4, 0.2, 0)
  therapist <- c(1:10, sample(11:18, 70, replace = TRUE, prob = 2^(8:1)))
  number <- as.integer(factor(data$course))
  data$therapist <- sprintf("t%02d", therapist[number])
  data$y <- round(data$y + rnorm(18, sd = 2)[therapist[number]], 3)
  data
}

# Effects given course that lie on a line: the correlation is 1 or -1, and the residual is small.
on_a_line <- function(seed, sign) {
  data <- simulate_sessions(seed, 10, 50, 4:10, 0, 0, 0, 0)
  effect <- rnorm(50)[as.integer(factor(data$course))]
  data$y <- round(data$y + 4 * effect + sign * 0.5 * effect * data$time, 3)
  data
}

three_effects <- function() {
  data <- simulate_sessions(17, 10, 60, 6:14, 3, 0.4, 0.3, 0)
  number <- as.integer(factor(data$course))
  data$x <- round(rnorm(nrow(data)), 3)
  data$y <- round(data$y + rnorm(60, sd = 1.2)[number] * data$x, 3)
  data
}

weighted <- function() {
  data <- simulate_sessions(18, 12, 60, 3:12, 3, 0.4, 0.2, 1.5)
  data$weight <- round(runif(nrow(data), 0.3, 3), 2)
  data
}

in_days <- function() {
  data <- simulate_sessions(19, 12, 60, 4:14, 4, 0.4, 0.3, 2)
  names(data)[names(data) == "time"] <- "weeks"
  data$days <- 7 * data$weeks
  data$date <- 8766 + data$days  # days since 1 January 2000, all courses begun on 1 January 2024
  data
}

deficient <- function() {
  data <- simulate_sessions(14, 12, 60, 3:10, 4, 0.4, 0.3, 2)
  data$twice <- 2 * data$time + 1
  data$sum <- data$time + data$x
  data
}

alone <- function() {
  data <- simulate_sessions(15, 60, 60, 3:10, 4, 0.4, 0.3, 0)
  data$therapist <- sub("c", "t", data$course)
  data
}

usual <- c("y ~ time + x + (1 | course)",
           "y ~ time + x + (1 + time | course)",
           "y ~ time + x + (1 | course) + (1 | therapist)",
           "y ~ time + x + (1 + time | course) + (1 | therapist)")
given_days <- function(time) sprintf(c(
  "y ~ %s + x + (1 + %s | course)", "y ~ %s + x + (1 + %s | course) + (1 | therapist)"), time, time)

cases <- list(
  unbalanced = list(data = unbalanced(), formulas = usual),
  therapist_zero = list(data = simulate_sessions(203, 12, 60, 3:10, 4, 0.4, 0.2, 0), formulas = usual[3:4]),
  slope_zero = list(data = simulate_sessions(233, 12, 60, 3:10, 4, 0, 0, 2),
                    formulas = c(usual[c(2, 4)], "y ~ time + x + (1 + time || course)", usual[3])),
  all_zero = list(data = simulate_sessions(110, 12, 60, 3:10, 0, 0, 0, 0), formulas = usual),
  correlation_plus_1 = list(data = on_a_line(244, 1), formulas = usual[c(2, 4)]),
  correlation_minus_1 = list(data = on_a_line(251, -1), formulas = usual[c(2, 4)]),
  slope_small = list(data = simulate_sessions(270, 12, 60, 4:12, 4, 0.08, 0, 2), formulas = usual[c(2, 4)]),
  therapist_is_course = list(data = alone(), formulas = usual[1:3]),
  rank_deficient = list(data = deficient(), formulas = c(
    "y ~ time + twice + x + sum + (1 + time | course)",
    "y ~ twice + time + x + sum + (1 | course) + (1 | therapist)")),
  three_effects = list(data = three_effects(), formulas = c(
    "y ~ time + x + (1 + time || course)",
    "y ~ time + x + (1 + time || course) + (1 | therapist)",
    "y ~ time + x + (1 + time + x | course)",
    "y ~ time + x + (1 + time + x || course)",
    "y ~ time * x + (0 + time | course)")),
  weighted = list(data = weighted(), formulas = usual, weights = TRUE),
  days = list(data = in_days(), formulas = c(given_days("weeks"), given_days("days"), given_days("date"))))

# Larger model, smaller model, both in `cases`: likelihood ratio tests.
compared <- list(
  c("unbalanced", usual[2], usual[1]), c("unbalanced", usual[4], usual[2]),
  c("slope_zero", usual[4], usual[3]), c("three_effects", "y ~ time + x + (1 + time + x | course)",
                                         "y ~ time + x + (1 + time + x || course)"))

ratio_test <- function(case, larger, smaller) {
  data <- cases[[case]]$data
  fits <- lapply(c(smaller, larger), function(formula) polished(as.formula(formula), data, FALSE))
  test <- do.call(anova, c(unname(fits), list(refit = FALSE, model.names = c("smaller", "larger"))))[2, ]
  rows <- data.frame(name = paste0("lrt:", c("chisq", "df", "p"), ":", smaller),
                     value = c(test$Chisq, test$Df, test[["Pr(>Chisq)"]]))
  label(rows, case, larger, "lmer", FALSE)
}

# The signed root of the deviance is interpolated by lme4 between steps: good to about 1e-3 of the SE.
profiled <- function(case, formula) {
  fit <- lme4::lmer(as.formula(formula), cases[[case]]$data, REML = FALSE,
                    control = lmerControl(optimizer = "bobyqa"))
  limits <- suppressWarnings(suppressMessages(confint(fit, method = "profile", oldNames = FALSE, delta = 0.2)))
  rows <- rbind(data.frame(name = paste0("profile:low:", rownames(limits)), value = limits[, 1]),
                data.frame(name = paste0("profile:high:", rownames(limits)), value = limits[, 2]))
  label(rows, case, formula, "lmer", FALSE)
}

# Where each therapist has one client the two variances cannot be told apart; their sum can.
only_their_sum <- function(rows) {
  variances <- grepl("^cov:", rows$name)
  total <- rows[variances, ][1, ]
  total$name <- "cov:course+therapist:(Intercept):(Intercept)"
  total$value <- sum(rows$value[variances])
  kept <- !grepl("^(cov|df|t|p|ranef|condsd|singular)(:|$)", rows$name)
  rbind(rows[kept, ], total)
}

results <- list()
for (case in names(cases)) {
  this <- cases[[case]]
  write_data(this$data, paste0("linear_", case))
  for (formula in this$formulas) for (reml in c(TRUE, FALSE)) {
    weights <- if (isTRUE(this$weights)) this$data$weight
    fit <- polished(as.formula(formula), this$data, reml, weights)
    method <- if (isTRUE(this$weights)) "lmer weights=weight" else "lmer"
    rows <- tidy(case, formula, fit, reml, this$data, method,
                 brief = !reml || case %in% c("all_zero", "days"))
    if (case == "therapist_is_course" && formula == usual[3]) rows <- only_their_sum(rows)
    if (grepl("date", formula))
      rows <- with_df_of_centred(rows, as.formula(formula), this$data, reml, "date")
    results[[length(results) + 1]] <- rows
  }
}
for (pair in compared) results[[length(results) + 1]] <- ratio_test(pair[1], pair[2], pair[3])
for (formula in usual[c(1, 2, 3)]) results[[length(results) + 1]] <- profiled("unbalanced", formula)
results[[length(results) + 1]] <- profiled("slope_small", usual[1])
write_results(results, "linear_results.csv")
