# lmer on the data of random_cases.py: as it comes, and polished. Called by benchmarks/random_fits.py:
#
#   Rscript tests/reference/random_fits.R FOLDER
#
# reads FOLDER/data.csv and FOLDER/models.csv, writes FOLDER/lme4.csv.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))
data <- split(read.csv(file.path(folder, "data.csv")), ~ seed)
models <- read.csv(file.path(folder, "models.csv"))
rows <- lapply(seq_len(nrow(models)), function(row) {
  this <- data[[as.character(models$seed[row])]]
  formula <- as.formula(models$formula[row])
  reml <- models$reml[row] == "True"
  warned <- 0
  default <- tryCatch(as.numeric(logLik(withCallingHandlers(
    suppressMessages(lme4::lmer(formula, this, REML = reml)),
    warning = function(w) { warned <<- 1; invokeRestart("muffleWarning") }))), error = function(e) NA)
  best <- tryCatch(polished(formula, this, reml), error = function(e) NULL)
  data.frame(seed = models$seed[row], default = default, warned = warned,
             polished = if (is.null(best)) NA else as.numeric(logLik(best)),
             singular = if (is.null(best)) NA else isSingular(best))
})
result <- do.call(rbind, rows)
for (name in c("default", "polished")) result[[name]] <- sprintf("%.15g", result[[name]])
write.csv(result, file.path(folder, "lme4.csv"), row.names = FALSE)
