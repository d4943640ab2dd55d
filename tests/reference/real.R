# The demo and three public data sets. Only results are written; the data stay where they are.
#
#   Rscript tests/reference/real.R tests/reference ../shared/data
#
# writes real_results.csv. The demo is read from data/raw/demo of this project.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))
mirror <- if (length(arguments) > 1) arguments[2] else file.path(here, "../../../shared/data")

in_demo <- function(file) read.csv(file.path(here, "../../data/raw/demo", file), na.strings = c("", "NA"))
demo <- merge(in_demo("sessions.csv"), in_demo("courses.csv"), by = "client_id")
demo <- demo[order(demo$client_id, demo$session_no), ]
demo$woman <- as.numeric(demo$sex == "female")
rownames(demo) <- NULL

reisby <- read.csv(file.path(mirror, "reisby_hamd/riesby.csv"))

couples <- read.csv(file.path(mirror, "dyad_couples_diary/sample1.csv"))
couples$day <- couples$DIARYDAY - 17

wide <- read.csv(file.path(mirror, "schizo_panss_investigators/Schizo_PANSS.csv"))
weeks <- c(1, 2, 4, 6, 8)
panss <- data.frame(Id = rep(wide$Id, each = 5), InvestId = rep(wide$InvestId, each = 5),
                    Treat = rep(wide$Treat, each = 5), week = rep(weeks, nrow(wide)),
                    change = as.vector(t(wide[paste0("Week", weeks)])))

cases <- list(
  demo = list(data = demo, formulas = c(
    "ors_total ~ session_no + (1 | client_id)",
    "ors_total ~ session_no + (1 + session_no | client_id)",
    "ors_total ~ session_no + (1 + session_no | client_id) + (1 | therapist_id)",
    "ors_total ~ session_no * woman + srs_total + (1 + session_no | client_id) + (1 | therapist_id)",
    "srs_total ~ session_no + (1 + session_no | client_id) + (1 | therapist_id)")),
  reisby = list(data = reisby, formulas = c(
    "hamdep ~ week + (1 | id)",
    "hamdep ~ week + (1 + week | id)",
    "hamdep ~ week * endog + (1 + week | id)",
    "hamdep ~ week + (1 + week || id)")),
  couples = list(data = couples, formulas = c(
    "M_Con. ~ day + (1 | ID)", "M_Con. ~ day + (1 + day | ID)",
    "W_Con. ~ day + (1 | ID)", "W_Con. ~ day + (1 + day | ID)",
    "W_Con. ~ day + M_Con. + (1 + day + M_Con. | ID)")),
  panss = list(data = panss, formulas = c(
    "change ~ week + Treat + (1 | Id)",
    "change ~ week + Treat + (1 + week | Id)",
    "change ~ week + Treat + (1 | Id) + (1 | InvestId)",
    "change ~ week + Treat + (1 + week | Id) + (1 | InvestId)")))

results <- list()
for (case in names(cases)) for (formula in cases[[case]]$formulas) for (reml in c(TRUE, FALSE)) {
  data <- cases[[case]]$data
  fit <- polished(as.formula(formula), data, reml, search_widely = nrow(data) < 4000)
  results[[length(results) + 1]] <- tidy(case, formula, fit, reml, data)
}
write_results(results, "real_results.csv")
