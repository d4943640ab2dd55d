# Functions, offsets, slashes and names in formulas, and what lme4 makes of them.
#
#   Rscript tests/reference/formulas.R tests/reference
#
# writes formulas_data.csv (the data) and formulas_results.csv.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))

set.seed(11)
rows <- 240
data <- data.frame(school = rep(sprintf("s%d", 1:8), each = 30), class = rep(sprintf("k%d", 1:5), 48),
                   x = round(rnorm(rows, 2, 3), 3), w = round(runif(rows, 0.5, 4), 3),
                   number = sample(1:3, rows, TRUE), letter = sample(c("A", "B", "C", "D"), rows, TRUE))
data$Intercept <- round(rnorm(rows), 3)
data$residual <- rep(sprintf("r%02d", 1:12), 20)
effect <- rnorm(8)[as.integer(factor(data$school))] +
  rnorm(40, sd = 0.8)[as.integer(interaction(data$school, data$class))] +
  rnorm(12, sd = 0.7)[as.integer(factor(data$residual))]
data$y <- round(0.3 * data$x + data$w + 0.5 * data$Intercept + effect + rnorm(rows), 3)
data$x[c(3, 50)] <- NA
data$y[c(7, 90)] <- NA
write.csv(data, file.path(folder, "formulas_data.csv"), row.names = FALSE, quote = FALSE)

formulas <- c("y ~ x + (1 | school/class)",
              "y ~ x + (1 + x | school)",
              "y ~ letter/x + (1 | school)",
              "y ~ offset(w) + x + (1 | school)",
              "y ~ x + offset(2 * w) + (1 | school)",
              "y ~ scale(x) + (1 | school)",
              "y ~ scale(x, scale = FALSE) + w + (1 | school)",
              "y ~ scale(x, center = FALSE) + (1 | school)",
              "y ~ log(w, 2) + (1 | school)",
              "y ~ log(w, base = 10) + log1p(w) + (1 | school)",
              "y ~ factor(number) + (1 | school)",
              "y ~ factor(number) * x + (1 | school)",
              "y ~ I(x^2) + x + (1 | school)",
              "y ~ (x + w + number)^2 + (1 | school)",
              "y ~ Intercept + w + (1 | school)",
              "y ~ x + (1 | residual)")
results <- lapply(formulas, function(formula)
  tidy("formulas", formula, polished(as.formula(formula), data, TRUE), TRUE, data, brief = TRUE))
write_results(results, "formulas_results.csv")
