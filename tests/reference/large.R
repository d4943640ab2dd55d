# 20,000 courses, made by a formula that quasi_random.py repeats number by number (see there).
#
#   Rscript tests/reference/large.R tests/reference
#
# writes large_results.csv only.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))

prime <- 94906247

uniform <- function(index, stream) {
  state <- (index + 1 + 7654321 * stream) %% prime
  for (turn in 1:2) state <- (((state * state) %% prime) * state + 1234567) %% prime
  (state + 0.5) / prime
}
normal <- function(index, stream) qnorm(uniform(index, stream))

large_courses <- function(courses = 20000, therapists = 1000) {
  number <- seq_len(courses) - 1
  n_sessions <- 3 + floor(12 * uniform(number, 1))
  therapist <- floor(therapists * uniform(number, 2))
  level <- 4 * normal(number, 3)
  slope <- 0.3 * (0.3 * normal(number, 3) + 0.9 * normal(number, 4))
  skill <- 1.5 * normal(seq_len(therapists) - 1, 5)
  course <- rep(number, n_sessions)
  row <- seq_along(course) - 1
  time <- row - rep(cumsum(n_sessions) - n_sessions, n_sessions)
  x <- as.numeric(uniform(row, 6) < 0.25)
  y <- 20 + 0.4 * time + 1.5 * x + level[course + 1] + slope[course + 1] * time
  y <- y + skill[therapist[course + 1] + 1] + 3 * normal(row, 7)
  data.frame(course = course, therapist = therapist[course + 1], time = time, x = x,
             y = floor(1000 * y + 0.5) / 1000)
}

data <- large_courses()
thousandths <- round(1000 * data$y)
position <- (seq_len(nrow(data)) - 1) %% 1009 + 1
checks <- c("check:rows" = nrow(data), "check:sum" = sum(thousandths),
            "check:weighted" = sum(thousandths * position),
            "check:therapist" = sum(data$therapist * position), "check:x" = sum(data$x * position))
results <- list(label(named("", checks), "large", "", "data", NA))
formulas <- c("y ~ time + x + (1 | course)", "y ~ time + x + (1 + time | course)",
              "y ~ time + x + (1 + time | course) + (1 | therapist)")
for (formula in formulas) for (reml in c(TRUE, FALSE)) {
  fit <- polished(as.formula(formula), data, reml, search_widely = FALSE)
  results[[length(results) + 1]] <- tidy("large", formula, fit, reml, data, brief = !reml)
}
write_results(results, "large_results.csv")
