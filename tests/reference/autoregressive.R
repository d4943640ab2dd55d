# Residuals that carry over from session to session (AR(1), with sessions missing in between), after nlme.
#
#   Rscript tests/reference/autoregressive.R tests/reference ../shared/data
#
# writes autoregressive_<case>.csv (the data) and autoregressive_results.csv. The correlation of two
# residuals of a course is rho to the power of the difference of their session numbers.
# nlme stops early or with an error now and then, so two optimisers run from several rho, and the
# most likely fit is kept (method `lme corAR1`, `lme corCAR1`, `gls corAR1`). Method `direct` is the same
# likelihood written out with the full covariance matrix of each course (or therapist) and
# searched with the optimiser of polished.R: it must not be below nlme, is more precise, and gives
# the degrees of freedom after Satterthwaite, which nlme does not have.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))
source(file.path(here, "simulated.R"))
suppressPackageStartupMessages(library(nlme))
mirror <- if (length(arguments) > 1) arguments[2] else file.path(here, "../../../shared/data")

# ---- nlme ----------------------------------------------------------------------------------------

best_of <- function(fit_from, starts, optimisers = c("nlminb", "optim")) {
  fits <- list()
  for (opt in optimisers) for (rho in starts) {
    control <- lmeControl(opt = opt, maxIter = 500, msMaxIter = 1000, niterEM = 50, tolerance = 1e-10,
                          msTol = 1e-12, returnObject = TRUE)
    fit <- tryCatch(suppressWarnings(fit_from(rho, control)), error = function(e) NULL)
    if (!is.null(fit) && is.finite(logLik(fit))) fits[[length(fits) + 1]] <- fit
  }
  if (!length(fits)) return(NULL)
  fits[[which.max(sapply(fits, function(fit) as.numeric(logLik(fit))))]]
}

fit_lme <- function(this, kind, reml) {
  position <- as.formula(paste("~", this$session, "|", paste(this$groups, collapse = "/")))
  random <- setNames(lapply(this$groups, function(group)
    if (group == tail(this$groups, 1)) as.formula(this$random) else ~ 1), this$groups)
  starts <- if (kind == "corCAR1") c(0.2, 0.5, 0.8) else c(-0.3, 0.05, 0.3, 0.6)
  best_of(function(rho, control) lme(
    as.formula(this$fixed), data = this$data, random = random, method = if (reml) "REML" else "ML",
    correlation = get(kind)(rho, form = position), control = control), starts)
}

fit_gls <- function(this, reml) {
  position <- as.formula(paste("~", this$session, "|", tail(this$groups, 1)))
  best_of(function(rho, control) gls(
    as.formula(this$fixed), data = this$data, correlation = corAR1(rho, form = position),
    method = if (reml) "REML" else "ML", control = glsControl(opt = control$opt, tolerance = 1e-10, msTol = 1e-12,
                                                              msMaxIter = 1000, maxIter = 500)),
    c(-0.3, 0.05, 0.3, 0.6))
}

covariances_of <- function(fit, groups) {
  if (inherits(fit, "gls")) return(NULL)
  do.call(rbind, lapply(groups, function(group) {
    block <- as.matrix(fit$modelStruct$reStruct[[group]]) * fit$sigma^2
    pairs <- which(lower.tri(block, diag = TRUE), arr.ind = TRUE)
    data.frame(name = paste("cov", group, rownames(block)[pairs[, 2]], rownames(block)[pairs[, 1]], sep = ":"),
               value = block[pairs])
  }))
}

# The standard errors are those of lme4: for ML, nlme's summary multiplies them by sqrt(N / (N - p)),
# vcov does not.
tidy_nlme <- function(fit, groups) {
  beta <- if (inherits(fit, "gls")) coef(fit) else fixef(fit)
  errors <- sqrt(diag(if (inherits(fit, "gls")) fit$varBeta else fit$varFix))
  if (inherits(fit, "gls") && fit$method == "ML")  # gls, unlike lme, has put the factor in already
    errors <- errors * sqrt((fit$dims$N - fit$dims$p) / fit$dims$N)
  rows <- rbind(named("", beta), named("se:", setNames(errors, names(beta))), covariances_of(fit, groups))
  rest <- c(residual = fit$sigma^2, rho = unname(coef(fit$modelStruct$corStruct, unconstrained = FALSE)),
            loglik = as.numeric(logLik(fit)), aic = AIC(fit))
  rbind(rows, named("", rest))
}

# ---- the same likelihood, written out --------------------------------------------------------------

# Parameters: the factor of each covariance matrix relative to the residual SD, in the order course,
# therapist, as in lme4; then atanh(rho).
blocks_of <- function(this) {
  data <- this$data
  outer <- this$groups[1]
  X <- model.matrix(as.formula(this$fixed), data)
  y <- data[[all.vars(as.formula(this$fixed))[1]]]
  inner <- interaction(data[this$groups], drop = TRUE)
  lapply(split(seq_len(nrow(data)), data[[outer]]), function(rows) {
    course <- as.character(inner[rows])
    same <- outer(course, course, "==")
    list(X = X[rows, , drop = FALSE], y = y[rows], same = same,
         Z = if (!is.null(this$random)) model.matrix(as.formula(this$random), data[rows, ]),
         gap = ifelse(same, abs(outer(data[[this$session]][rows], data[[this$session]][rows], "-")), NA))
  })
}

sizes_of <- function(this) {
  if (is.null(this$random)) return(numeric())
  c(ncol(model.matrix(as.formula(this$random), this$data)), rep(1, length(this$groups) - 1))
}

sums_of <- function(par, blocks, sizes) {
  n_theta <- sum(sizes * (sizes + 1) / 2)
  factors <- if (n_theta) factors_of(par[seq_len(n_theta)], sizes)
  rho <- tanh(par[n_theta + 1])
  sums <- lapply(blocks, function(block) {
    V <- ifelse(block$same, rho^block$gap, 0)
    if (n_theta) V <- V + block$same * tcrossprod(block$Z %*% factors[[1]])
    if (length(sizes) > 1) V <- V + factors[[2]][1, 1]^2
    root <- chol(V)
    white <- backsolve(root, cbind(block$X, block$y), transpose = TRUE)
    list(crossprod(white), 2 * sum(log(diag(root))))
  })
  list(cross = Reduce(`+`, lapply(sums, `[[`, 1)), logdet = Reduce(`+`, lapply(sums, `[[`, 2)))
}

# -2 log-likelihood; with `sigma2` NULL at its best value.
minus_two_loglik <- function(par, blocks, sizes, n, reml, sigma2 = NULL) {
  sums <- sums_of(par, blocks, sizes)
  p <- ncol(sums$cross) - 1
  root <- chol(sums$cross)
  residual <- root[p + 1, p + 1]^2
  free <- if (reml) n - p else n
  if (is.null(sigma2)) sigma2 <- residual / free
  free * log(2 * pi * sigma2) + sums$logdet + residual / sigma2 +
    if (reml) 2 * sum(log(diag(root)[seq_len(p)])) else 0
}

satterthwaite <- function(par, sigma2, blocks, sizes, n, reml, moving) {
  all <- c(par, log(sigma2))
  last <- length(all)
  variances <- function(values) {
    full <- replace(all, moving, values)
    sums <- sums_of(full[-last], blocks, sizes)
    p <- ncol(sums$cross) - 1
    exp(full[last]) * diag(solve(sums$cross[1:p, 1:p]))
  }
  criterion <- function(values) {
    full <- replace(all, moving, values)
    minus_two_loglik(full[-last], blocks, sizes, n, reml, exp(full[last]))
  }
  covariance <- 2 * solve(hessian(criterion, all[moving]))
  slopes <- jacobian(variances, all[moving])
  2 * variances(all[moving])^2 / rowSums((slopes %*% covariance) * slopes)
}

fit_direct <- function(this, reml) {
  blocks <- blocks_of(this)
  sizes <- sizes_of(this)
  n <- nrow(this$data)
  n_theta <- sum(sizes * (sizes + 1) / 2)
  fn <- function(par) minus_two_loglik(par, blocks, sizes, n, reml)
  safe <- function(par) tryCatch({value <- fn(par); if (is.finite(value)) value else 1e10},
                                 error = function(e) 1e10)
  diagonal <- theta_of(lapply(sizes, diag)) == 1
  unit <- c(if (n_theta) control_unit(this), 1)
  ends <- lapply(c(-0.3, 0.3, 0.7), function(rho) {
    end <- searches$nlminb(function(x) safe(unit * x), c(ifelse(diagonal, 0.7, 0), atanh(rho)))
    unit * searches$bobyqa(function(x) safe(unit * x), end)
  })
  par <- ends[[which.min(sapply(ends, safe))]]
  if (n_theta) {
    par[seq_len(n_theta)] <- theta_of(lapply(factors_of(par[seq_len(n_theta)], sizes), canonical))
    par <- unit * at_zero(function(x) safe(unit * x), par / unit, sizes)
  }
  moving <- which(par != 0)
  refined <- newton(safe, par, moving)
  if (safe(refined) <= safe(par) + 1e-9) par <- refined
  finish_direct(par, blocks, sizes, this, n, reml, c(moving, length(par) + 1))
}

control_unit <- function(this) {
  rms <- sqrt(colMeans(model.matrix(as.formula(this$random), this$data)^2))
  c((1 / rms)[unlist(lapply(seq_along(rms), function(column) column:length(rms)))],
    rep(1, length(this$groups) - 1))
}

finish_direct <- function(par, blocks, sizes, this, n, reml, moving) {
  n_theta <- length(par) - 1
  sums <- sums_of(par, blocks, sizes)
  p <- ncol(sums$cross) - 1
  inverse <- solve(sums$cross[1:p, 1:p])
  beta <- drop(inverse %*% sums$cross[1:p, p + 1])
  names(beta) <- colnames(blocks[[1]]$X)
  sigma2 <- drop(sums$cross[p + 1, p + 1] - sums$cross[1:p, p + 1] %*% beta) / (if (reml) n - p else n)
  df <- satterthwaite(par, sigma2, blocks, sizes, n, reml, moving)
  criterion <- minus_two_loglik(par, blocks, sizes, n, reml)
  rows <- rbind(named("", beta), named("se:", setNames(sqrt(sigma2 * diag(inverse)), names(beta))),
                named("df:", setNames(df, names(beta))))
  if (n_theta) {
    effects <- colnames(model.matrix(as.formula(this$random), this$data))
    factors <- factors_of(par[seq_len(n_theta)], sizes)
    groups <- rev(this$groups)
    for (term in seq_along(sizes)) {
      block <- sigma2 * tcrossprod(factors[[term]])
      pairs <- which(lower.tri(block, diag = TRUE), arr.ind = TRUE)
      rows <- rbind(rows, data.frame(
        name = paste("cov", groups[term], effects[pairs[, 2]], effects[pairs[, 1]], sep = ":"),
        value = block[pairs]))
    }
  }
  singular <- n_theta > 0 && any(par[seq_len(n_theta)][theta_of(lapply(sizes, diag)) == 1] < 1e-4)
  rbind(rows, named("", c(residual = sigma2, rho = tanh(par[n_theta + 1]), loglik = -criterion / 2,
                          aic = criterion + 2 * (p + n_theta + 2), singular = singular, n = n)))
}

# ---- cases ---------------------------------------------------------------------------------------

simulated <- list(
  usual = with_gaps(31, 12, 70, 4:16, 0.5, 2.5, 0.25, 1.5),
  weak = with_gaps(32, 12, 60, 4:14, 0.15, 2.5, 0, 0),
  negative = with_gaps(33, 12, 60, 4:14, -0.4, 2.5, 0.2, 0),
  strong = with_gaps(34, 12, 60, 5:20, 0.8, 2, 0, 1),
  wide_gaps = with_gaps(35, 12, 70, 10:30, 0.6, 2.5, 0.15, 0, present = 0.35))

of_kind <- function(data, fixed, course, session, therapist = NULL, slope = TRUE) {
  one <- function(random, groups) list(data = data, fixed = fixed, random = random, groups = groups,
                                       session = session)
  with_slope <- paste("~ 1 +", session)
  c(list(one("~ 1", course)), if (slope) list(one(with_slope, course)),
    if (!is.null(therapist)) list(one("~ 1", c(therapist, course))),
    if (slope && !is.null(therapist)) list(one(with_slope, c(therapist, course))))
}

formula_of <- function(this) {
  if (is.null(this$random)) return(this$fixed)
  terms <- sprintf("(%s | %s)", sub("~ ", "", this$random), tail(this$groups, 1))
  if (length(this$groups) > 1) terms <- c(terms, sprintf("(1 | %s)", this$groups[1]))
  paste(this$fixed, paste(terms, collapse = " + "), sep = " + ")
}

fixed <- "y ~ session + x"
cases <- list(
  usual = of_kind(simulated$usual, fixed, "course", "session", "therapist"),
  weak = of_kind(simulated$weak, fixed, "course", "session", slope = FALSE),
  negative = of_kind(simulated$negative, fixed, "course", "session"),
  strong = of_kind(simulated$strong, fixed, "course", "session", "therapist", slope = FALSE),
  wide_gaps = of_kind(simulated$wide_gaps, fixed, "course", "session"),
  reisby = of_kind(read.csv(file.path(mirror, "reisby_hamd/riesby.csv")), "hamdep ~ week", "id", "week"),
  couples = of_kind(transform(read.csv(file.path(mirror, "dyad_couples_diary/sample1.csv")), day = DIARYDAY - 17),
                    "W_Con. ~ day", "ID", "day"))
without <- list(usual = list(data = simulated$usual, fixed = fixed, groups = "course", session = "session"))

results <- list()
add <- function(rows, case, this, method, reml)
  results[[length(results) + 1]] <<- label(rows, case, formula_of(this), method, reml)
for (case in names(simulated)) write_data(simulated[[case]], paste0("autoregressive_", case))
for (case in names(cases)) for (this in cases[[case]]) for (reml in c(TRUE, FALSE)) {
  direct <- fit_direct(this, reml)
  add(direct, case, this, "direct", reml)
  for (kind in c("corAR1", if (!case %in% c("negative", "couples")) "corCAR1")) {
    fit <- fit_lme(this, kind, reml)
    if (!is.null(fit)) add(tidy_nlme(fit, this$groups), case, this, paste("lme", kind), reml)
  }
}
for (reml in c(TRUE, FALSE)) {
  add(fit_direct(without$usual, reml), "usual", without$usual, "direct", reml)
  add(tidy_nlme(fit_gls(without$usual, reml), NULL), "usual", without$usual, "gls corAR1", reml)
}
write_results(results, "autoregressive_results.csv")
