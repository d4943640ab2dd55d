# What the other scripts share: lmer and glmer with an optimiser that does not stop early, and the
# table in which all results are written.
#
# lme4's own optimiser stops early now and then, and a variance of zero is a stationary point at
# which a search can get stuck. So several optimisers run from several starts with tight tolerances,
# without bounds (a factor and the same factor with a column turned round mean the same covariance),
# the best is restarted, ends with Newton steps on numerical derivatives, and is compared with the
# same factor with single columns set to zero. `search_widely = FALSE`: one optimiser from one start, for
# data on which one fit takes long.

suppressPackageStartupMessages({library(lme4); library(lmerTest); library(numDeriv)})

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments)) arguments[1] else here

# ---- the factor of one covariance matrix per random term -----------------------------------------

factors_of <- function(theta, sizes) {
  end <- cumsum(sizes * (sizes + 1) / 2)
  Map(function(size, last) {
    factor <- matrix(0, size, size)
    factor[lower.tri(factor, diag = TRUE)] <- theta[(last - size * (size + 1) / 2 + 1):last]
    factor
  }, sizes, end)
}

theta_of <- function(factors)
  unlist(lapply(factors, function(factor) factor[lower.tri(factor, diag = TRUE)]))

# The lower triangular factor with a diagonal of at least zero and the same product. A column whose
# diagonal is zero is zero below it as well: what it held moves to the later columns.
canonical <- function(factor) {
  size <- nrow(factor)
  covariance <- tcrossprod(factor)
  result <- matrix(0, size, size)
  for (column in seq_len(size)) {
    rest <- covariance[column:size, column]
    if (rest[1] > 1e-14 * max(diag(tcrossprod(factor)), 1e-300)) {
      result[column:size, column] <- rest / sqrt(rest[1])
      covariance <- covariance - tcrossprod(result[, column])
    }
  }
  result
}

# ---- the optimiser, in the form in which lme4 takes one ------------------------------------------

newton <- function(fn, par, moving = seq_along(par)) {
  part <- function(values) fn(replace(par, moving, values))
  if (!length(moving)) return(par)
  values <- par[moving]
  for (turn in 1:8) {
    slope <- grad(part, values)
    curvature <- hessian(part, values)
    step <- tryCatch(-solve(curvature, slope), error = function(e) NULL)
    if (is.null(step) || any(!is.finite(step)) || any(eigen(curvature, TRUE, TRUE)$values <= 0)) break
    size <- 1
    while (size > 1e-4 && !isTRUE(part(values + size * step) <= part(values) + 1e-10)) size <- size / 2
    if (size <= 1e-4) break
    values <- values + size * step
    if (max(abs(step) / pmax(abs(values), 1e-2)) < 1e-9) break
  }
  replace(par, moving, values)
}

searches <- list(
  bobyqa = function(fn, par) minqa::bobyqa(
    par, fn, control = list(rhobeg = 0.2, rhoend = 1e-9, maxfun = 1e5))$par,
  Nelder_Mead = function(fn, par) Nelder_Mead(
    fn, par, rep(-Inf, length(par)), rep(Inf, length(par)),
    control = list(FtolAbs = 1e-12, FtolRel = 1e-15, XtolRel = 1e-12, maxfun = 1e5, warnOnly = TRUE))$par,
  nlminb = function(fn, par) nlminb(
    par, fn, control = list(eval.max = 1e4, iter.max = 1e4, rel.tol = 1e-14, x.tol = 1e-12))$par)

thorough <- function(fn, par, lower, upper, control) {
  sizes <- control$sizes
  n_theta <- sum(sizes * (sizes + 1) / 2)
  n_beta <- length(par) - n_theta
  unit <- c(control$unit, rep(1, n_beta))
  objective <- function(x) {
    value <- tryCatch(suppressWarnings(fn(unit * x)), error = function(e) NA)
    if (is.finite(value)) value else 1e10
  }
  tidy_factor <- function(x) {
    x[seq_len(n_theta)] <- theta_of(lapply(factors_of(x[seq_len(n_theta)], sizes), canonical))
    x
  }
  start <- par / unit
  diagonal <- theta_of(lapply(sizes, diag)) == 1
  other <- function(on, below) c(ifelse(diagonal, on, below), start[-seq_len(n_theta)])
  starts <- list(start)
  if (control$search_widely)
    starts <- c(starts, list(other(1, 0), other(0.1, 0), other(0.4, 0.2), other(0.4, -0.4)))
  used <- if (control$search_widely && n_beta == 0) searches else searches["bobyqa"]
  found <- list()
  for (search in used) for (begin in starts) {
    end <- tryCatch(suppressWarnings(search(objective, begin)), error = function(e) begin)
    found[[length(found) + 1]] <- tidy_factor(end)
  }
  best <- found[[which.min(sapply(found, objective))]]
  for (search in used) {
    again <- tryCatch(suppressWarnings(search(objective, best)), error = function(e) best)
    if (objective(again) < objective(best)) best <- tidy_factor(again)
  }
  best <- at_zero(objective, best, sizes)
  moving <- which(best != 0 | seq_along(best) > n_theta)
  refined <- tidy_factor(newton(objective, best, moving))
  if (objective(refined) <= objective(best) + 1e-9) best <- refined
  list(par = unit * best, fval = fn(unit * best), convergence = 0, message = "", feval = 1)
}

# Columns of the factor that are zero but for rounding become zero.
at_zero <- function(objective, x, sizes) {
  n_theta <- sum(sizes * (sizes + 1) / 2)
  for (term in seq_along(sizes)) for (column in seq_len(sizes[term])) {
    factors <- factors_of(x[seq_len(n_theta)], sizes)
    if (sqrt(sum(factors[[term]][, column]^2)) > 1e-3) next
    factors[[term]][, column] <- 0
    zero <- c(theta_of(factors), x[-seq_len(n_theta)])
    if (objective(zero) <= objective(x) + 1e-9) x <- zero
  }
  x
}

# Sizes of the random terms, and the unit in which each entry of the factor is searched: a slope
# given something in days is smaller than one given weeks.
control_of <- function(parsed, search_widely) {
  sizes <- lengths(parsed$reTrms$cnms)
  rms <- split(sqrt(Matrix::rowSums(parsed$reTrms$Zt^2) / Matrix::rowSums(parsed$reTrms$Zt != 0)),
               rep(seq_along(sizes), diff(parsed$reTrms$Gp)))
  unit <- Map(function(values, size) {
    by_column <- rowMeans(matrix(values, size), na.rm = TRUE)
    (1 / by_column)[unlist(lapply(seq_len(size), function(column) column:size))]
  }, rms, sizes)
  list(sizes = unname(sizes), unit = unlist(unit, use.names = FALSE), search_widely = search_widely)
}

polished <- function(formula, data, reml, weights = NULL, search_widely = TRUE) {
  if (!is.null(weights)) data$.weights <- weights
  pass <- if (is.null(weights)) list() else list(weights = quote(.weights))
  quiet <- list(check.conv.singular = "ignore", check.rankX = "silent.drop.cols")
  parsed <- do.call(lFormula, c(list(formula, data, REML = reml, control = do.call(lmerControl, quiet)), pass))
  control <- do.call(lmerControl, c(list(
    optimizer = "thorough", optCtrl = control_of(parsed, search_widely), calc.derivs = FALSE,
    restart_edge = FALSE, boundary.tol = 0), quiet))
  fit <- do.call(lme4::lmer, c(list(formula, data, REML = reml, control = control), pass))
  # lmerTest fits anew; at the polished factor there is nothing left to search.
  stay$theta <- getME(fit, "theta")
  control$optimizer <- "stay_put"
  tested <- do.call(lmerTest::lmer, c(list(formula, data, REML = reml, control = control), pass))
  stopifnot(abs(logLik(tested) - logLik(fit)) < 1e-9)
  usual <- tryCatch(as.numeric(logLik(suppressMessages(suppressWarnings(do.call(
    lme4::lmer, c(list(formula, data, REML = reml), pass)))))), error = function(e) NA)
  attr(tested, "loglik_default") <- usual
  attr(tested, "dropped") <- attr(parsed$X, "col.dropped")
  tested
}

stay <- new.env()
stay_put <- function(fn, par, lower, upper, control)
  list(par = stay$theta, fval = fn(stay$theta), convergence = 0, message = "", feval = 1)

# ---- the table of results ------------------------------------------------------------------------

named <- function(prefix, values)
  data.frame(name = paste0(prefix, names(values)), value = as.numeric(values))

# `||` makes several terms of one group, which lme4 tells apart as course, course.1 and so on.
group_of <- function(name, data) if (name %in% names(data)) name else sub("\\.[0-9]+$", "", name)

components <- function(fit, data) {
  random <- as.data.frame(VarCorr(fit))
  second <- ifelse(is.na(random$var2), random$var1, random$var2)
  group <- sapply(random$grp, group_of, data = data)
  data.frame(name = ifelse(random$grp == "Residual", "residual",
                           paste("cov", group, random$var1, second, sep = ":")),
             value = random$vcov)
}

# The first levels only, to keep the files small.
effects <- function(fit, levels = 5) {
  random <- as.data.frame(ranef(fit, condVar = TRUE))
  first <- unlist(lapply(split(seq_len(nrow(random)), paste(random$grpvar, random$term)), head, levels))
  random <- random[sort(first), ]
  label <- paste(random$grpvar, random$grp, random$term, sep = ":")
  rbind(data.frame(name = paste0("ranef:", label), value = random$condval),
        data.frame(name = paste0("condsd:", label), value = random$condsd))
}

# Nakagawa & Schielzeth 2013; with random slopes the mean over the rows of z'Gz (Johnson 2014).
explained <- function(fit) {
  fixed <- var(as.numeric(getME(fit, "X") %*% fixef(fit)))
  random <- sigma(fit)^2 * mean(Matrix::colSums((getME(fit, "Lambdat") %*% getME(fit, "Zt"))^2))
  total <- fixed + random + sigma(fit)^2
  data.frame(name = c("r2:marginal", "r2:conditional"), value = c(fixed, fixed + random) / total)
}

predictions <- function(fit, rows = 5) {
  rows <- seq_len(rows)
  rbind(data.frame(name = paste0("predict:all:", rownames(model.frame(fit))[rows]), value = predict(fit)[rows]),
        data.frame(name = paste0("predict:fixed:", rownames(model.frame(fit))[rows]),
                   value = predict(fit, re.form = NA)[rows]))
}

numbers_of <- function(fit) {
  grouped <- sapply(getME(fit, "flist"), nlevels)
  rbind(data.frame(name = "n", value = nobs(fit)), named("n:", grouped))
}

label <- function(rows, case, formula, method, reml)
  cbind(case = case, formula = formula, method = method, reml = reml, rows)

tidy <- function(case, formula, fit, reml, data, method = "lmer", brief = FALSE) {
  tests <- coef(summary(fit, ddf = "Satterthwaite"))
  column <- function(prefix, name) named(prefix, setNames(tests[, name], rownames(tests)))
  criterion <- data.frame(
    name = c("loglik", "loglik_default", "aic", "bic", if (reml) "remlcrit" else "deviance", "singular"),
    value = c(logLik(fit), attr(fit, "loglik_default"), AIC(fit), BIC(fit),
              if (reml) REMLcrit(fit) else deviance(fit), isSingular(fit)))
  dropped <- attr(fit, "dropped")
  rows <- rbind(
    column("", "Estimate"), column("se:", "Std. Error"), column("df:", "df"), column("t:", "t value"),
    column("p:", "Pr(>|t|)"), components(fit, data), criterion, numbers_of(fit), explained(fit),
    if (length(dropped)) data.frame(name = paste0("dropped:", names(dropped)), value = 1),
    if (!brief) effects(fit), if (!brief) predictions(fit))
  label(rows, case, formula, method, reml)
}

# With time far from zero lmerTest's numerical derivatives fail: df ten times too large. The same model
# with centred time has the same df, those of the intercept as a contrast.
with_df_of_centred <- function(rows, formula, data, reml, time) {
  middle <- mean(data[[time]])
  data[[time]] <- data[[time]] - middle
  fit <- polished(formula, data, reml)
  contrasts <- diag(length(fixef(fit)))
  contrasts[1, names(fixef(fit)) == time] <- -middle
  tests <- do.call(rbind, lapply(seq_along(fixef(fit)), function(one) contest1D(fit, contrasts[one, ])))
  rows$value[match(paste0("df:", names(fixef(fit))), rows$name)] <- tests$df
  rows$value[match(paste0("p:", names(fixef(fit))), rows$name)] <- tests[["Pr(>|t|)"]]
  rows
}

write_results <- function(results, file) {
  results <- do.call(rbind, results)
  results$value <- sprintf("%.15g", results$value)
  write.csv(results, file.path(folder, file), row.names = FALSE)
}

write_data <- function(data, case)
  write.csv(data, file.path(folder, paste0(case, ".csv")), row.names = FALSE, quote = FALSE)
