# Yes-or-no outcomes with a random intercept, after glmer.
#
#   Rscript tests/reference/logistic.R tests/reference
#
# writes logistic_<case>.csv (the data) and logistic_results.csv, for the Laplace approximation (nAGQ = 1)
# and for adaptive Gauss-Hermite quadrature with 7 points. Method `direct` is the same approximation
# written out group by group and searched with the optimiser of polished.R: glmer's criterion is known
# only as well as its inner loop converged, so that `direct` is more precise. The standard errors
# (`se:`) come from the second derivatives by all parameters, theta included; `se_rx:` is glmer's
# other choice, which holds theta fixed.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
source(file.path(here, "polished.R"))

# ---- data ----------------------------------------------------------------------------------------

recovered <- function(seed, therapists, courses, sd_therapist, even = TRUE) {
  set.seed(seed)
  chances <- if (even) rep(1, therapists) else 1 / seq_len(therapists)
  therapist <- sample(therapists, courses, replace = TRUE, prob = chances)
  repaired <- rpois(courses, 1.2)
  baseline <- round(rnorm(courses), 3)
  logit <- -0.3 + 0.4 * repaired - 0.5 * baseline + rnorm(therapists, sd = sd_therapist)[therapist]
  data.frame(course = sprintf("c%03d", seq_len(courses)), therapist = sprintf("t%02d", therapist),
             repaired = repaired, baseline = baseline, y = rbinom(courses, 1, plogis(logit)))
}

# Whether a rupture was repaired, few times per course.
small_groups <- function() {
  set.seed(43)
  n <- sample(3:8, 120, replace = TRUE)
  course <- rep(1:120, n)
  depth <- round(rnorm(sum(n)), 3)
  logit <- 0.4 - 0.6 * depth + rnorm(120, sd = 1.2)[course]
  data.frame(course = sprintf("c%03d", course), depth = depth, y = rbinom(sum(n), 1, plogis(logit)))
}

# One row per session until the course ends (y = 1) or is no longer followed.
hazard <- function() {
  set.seed(44)
  courses <- 150
  therapist <- sample(15, courses, replace = TRUE)
  level <- rnorm(15, sd = 0.7)
  baseline <- round(rnorm(courses), 3)
  rows <- lapply(seq_len(courses), function(one) {
    session <- 1:20
    open <- rbinom(20, 1, 0.15)
    chance <- plogis(-3.4 + 0.1 * session + 0.9 * open - 0.3 * baseline[one] + level[therapist[one]])
    ends <- runif(20) < chance
    kept <- seq_len(if (any(ends)) which(ends)[1] else 20)
    data.frame(course = sprintf("c%03d", one), therapist = sprintf("t%02d", therapist[one]),
               session = session[kept], time = round((session[kept] - 8) / 5, 3), open = open[kept],
               baseline = baseline[one], y = as.integer(ends[kept]))
  })
  do.call(rbind, rows)
}

final <- "y ~ repaired + baseline + (1 | therapist)"
cases <- list(
  usual = list(data = recovered(41, 20, 300, 0.8), formula = final),
  small_variance = list(data = recovered(52, 20, 300, 0), formula = final),
  zero = list(data = recovered(60, 20, 300, 0), formula = final),
  unbalanced = list(data = recovered(45, 40, 200, 1, even = FALSE), formula = final),
  strong = list(data = recovered(46, 25, 250, 2.5), formula = final),
  small_groups = list(data = small_groups(), formula = "y ~ depth + (1 | course)"),
  hazard = list(data = hazard(), formula = "y ~ time + open + baseline + (1 | therapist)"))

# ---- glmer -----------------------------------------------------------------------------------------

polished_glmer <- function(formula, data, points) {
  control <- function(name, ...) glmerControl(
    optimizer = name, optCtrl = list(...), tolPwrss = 1e-12, boundary.tol = 0, restart_edge = FALSE,
    check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")
  controls <- list(
    control("bobyqa", rhobeg = 0.2, rhoend = 1e-9, maxfun = 1e5),
    control("Nelder_Mead", FtolAbs = 1e-12, FtolRel = 1e-15, XtolRel = 1e-12, maxfun = 1e5),
    control("nloptwrap", xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5))
  fits <- lapply(controls, function(one) tryCatch(suppressMessages(suppressWarnings({
    first <- glmer(formula, data, binomial, nAGQ = points, control = one)
    update(first, start = list(theta = getME(first, "theta"), fixef = fixef(first)))
  })), error = function(e) NULL))
  fits <- Filter(Negate(is.null), fits)
  fits[[which.max(sapply(fits, function(fit) as.numeric(logLik(fit))))]]
}

tidy_glmer <- function(fit) {
  variance <- getME(fit, "theta")^2
  group <- names(getME(fit, "flist"))
  rows <- rbind(
    named("", fixef(fit)),
    named("se:", setNames(sqrt(diag(as.matrix(vcov(fit)))), names(fixef(fit)))),
    named("se_rx:", setNames(sqrt(diag(as.matrix(vcov(fit, use.hessian = FALSE)))), names(fixef(fit)))))
  rest <- c(setNames(variance, sprintf("cov:%s:(Intercept):(Intercept)", group)),
            loglik = as.numeric(logLik(fit)), aic = AIC(fit), bic = BIC(fit),
            deviance_given_effects = deviance(fit), singular = isSingular(fit), n = nobs(fit))
  rbind(rows, named("", rest), effects(fit))
}

# ---- the same approximation, written out ---------------------------------------------------------

# Points and weights of Gauss-Hermite quadrature for the standard normal density (Golub & Welsch 1969).
hermite <- function(points) {
  if (points == 1) return(list(at = 0, weight = 1))
  off <- sqrt(seq_len(points - 1))
  jacobi <- matrix(0, points, points)
  jacobi[cbind(1:(points - 1), 2:points)] <- jacobi[cbind(2:points, 1:(points - 1))] <- off
  system <- eigen(jacobi, TRUE)
  list(at = system$values, weight = system$vectors[1, ]^2)
}

# The most likely standardised effect of each group, and the curvature there.
modes <- function(eta, y, group, theta) {
  u <- numeric(max(group))
  for (turn in 1:100) {
    chance <- plogis(eta + theta * u[group])
    curvature <- 1 + theta^2 * rowsum(chance * (1 - chance), group)[, 1]
    step <- (theta * rowsum(y - chance, group)[, 1] - u) / curvature
    u <- u + step
    if (max(abs(step)) < 1e-14) break
  }
  list(u = u, sd = 1 / sqrt(curvature))
}

minus_two_loglik <- function(par, X, y, group, points) {
  eta <- drop(X %*% par[-1])
  best <- modes(eta, y, group, par[1])
  rule <- hermite(points)
  parts <- sapply(seq_len(points), function(point) {
    u <- best$u + best$sd * rule$at[point]
    given <- eta + par[1] * u[group]
    log(rule$weight[point]) + rule$at[point]^2 / 2 - u^2 / 2 + log(best$sd) +
      rowsum(y * given - log1p(exp(given)), group)[, 1]
  })
  largest <- apply(parts, 1, max)
  -2 * sum(largest + log(rowSums(exp(parts - largest))))
}

fit_direct <- function(formula, data, points) {
  parsed <- glFormula(as.formula(formula), data, binomial)
  X <- parsed$X
  y <- parsed$fr[[1]]
  group <- as.integer(parsed$reTrms$flist[[1]])
  fn <- function(par) minus_two_loglik(par, X, y, group, points)
  beta <- coef(glm.fit(X, y, family = binomial()))
  ends <- lapply(c(0.1, 0.7, 2), function(theta)
    searches$bobyqa(fn, searches$nlminb(fn, c(theta, beta))))
  par <- ends[[which.min(sapply(ends, fn))]]
  par[1] <- abs(par[1])
  zero <- c(0, beta)
  if (fn(zero) <= fn(par) + 1e-9) par <- zero
  par <- newton(fn, par, which(par != 0))
  covariance <- 2 * solve(hessian(fn, par))
  best <- modes(drop(X %*% par[-1]), y, group, par[1])
  levels <- levels(parsed$reTrms$flist[[1]])[1:5]
  name <- names(parsed$reTrms$flist)
  names(par) <- c("theta", colnames(X))
  rest <- c(setNames(par[1]^2, sprintf("cov:%s:(Intercept):(Intercept)", name)), loglik = -fn(par) / 2,
            aic = fn(par) + 2 * length(par), bic = fn(par) + log(length(y)) * length(par),
            singular = unname(par[1] < 1e-4), n = length(y))
  rbind(named("", par[-1]), named("se:", setNames(sqrt(diag(covariance))[-1], colnames(X))), named("", rest),
        named(sprintf("ranef:%s:", name), setNames((par[1] * best$u)[1:5], paste0(levels, ":(Intercept)"))),
        named(sprintf("condsd:%s:", name), setNames((par[1] * best$sd)[1:5], paste0(levels, ":(Intercept)"))))
}

results <- list()
add <- function(...) results[[length(results) + 1]] <<- label(...)
for (case in names(cases)) {
  this <- cases[[case]]
  write_data(this$data, paste0("logistic_", case))
  for (points in c(1, 7)) {
    fit <- polished_glmer(as.formula(this$formula), this$data, points)
    add(tidy_glmer(fit), case, this$formula, paste0("glmer nAGQ=", points), NA)
    add(fit_direct(this$formula, this$data, points), case, this$formula, paste0("direct nAGQ=", points), NA)
  }
}
write_results(results, "logistic_results.csv")
