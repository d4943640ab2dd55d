# One timed fit; called by mixed_models.py: Rscript mixed_models.R PROGRAM FORMULA FILE
#
# Prints seconds of the clock, of the processor, and peak memory in GB. A fit of a tenth of the data
# comes first, so that nothing is compiled or loaded while the clock runs.

given <- commandArgs(trailingOnly = TRUE)
program <- given[1]
formula <- as.formula(given[2])
data <- read.csv(given[3])
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(nlme)})

fit <- switch(program,
  lme4 = function(data) lme4::lmer(formula, data),
  lmerTest = function(data) summary(lmerTest::lmer(formula, data)),
  nlme = function(data) lme(y ~ session + x, data = data, random = ~ 1 | course,
                            correlation = corAR1(form = ~ session | course)))
quiet <- function(data) suppressWarnings(suppressMessages(fit(data)))
invisible(quiet(data[data$course < max(data$course) / 10, ]))
seconds <- system.time(quiet(data))
peak <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
cat(seconds[["elapsed"]], seconds[["user.self"]] + seconds[["sys.self"]],
    as.numeric(gsub("[^0-9]", "", peak)) / 1024^2, "\n")
