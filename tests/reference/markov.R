# Two states, one depth, one line for all courses, no carry-over, no end of the scale: likelihood and posterior by msm,
# whose likelihood is also written out to find its top. A rating means the interval of one point around it, so it is a
# category whose probability is a difference of two logistic tails; the last category is every rating that does not occur.
# (Of more than ten categories msm 1.7 takes the probabilities in a wrong order.) msm's chain in continuous time
# moves from session to session as the discrete one if its rates are those of the logarithm of the transition matrix.
suppressMessages(library(msm))
out <- commandArgs(TRUE)[1]
set.seed(15)
truth <- c(level = 8, noise = 0.45, depth = 2.5, onset = 0.1, recovery = 0.4)

# All begin at session 2, steady: no rupture begins before session 3. One session in eight is not rated.
course <- function(id) {
  sessions <- 2:sample(9:14, 1)
  ruptured <- Reduce(
    function(before, session) if (before) runif(1) > truth["recovery"] else runif(1) < truth["onset"],
    sessions[-1], FALSE,
    accumulate = TRUE
  )
  rating <- round(truth["level"] - truth["depth"] * ruptured + rlogis(length(sessions), 0, truth["noise"]))
  kept <- sessions == 2 | runif(length(sessions)) < 7 / 8
  data.frame(course = id, session = sessions[kept], rating = rating[kept])
}
data <- do.call(rbind, lapply(1:50, course))
write.csv(data, file.path(out, "markov_two_states.csv"), row.names = FALSE)
values <- min(data$rating):max(data$rating)
stopifnot(length(values) < 10)
data$category <- match(data$rating, values)
courses <- split(data, data$course)

chances <- function(middle, noise) {
  inside <- plogis((values + 0.5 - middle) / noise) - plogis((values - 0.5 - middle) / noise)
  c(inside, 1 - sum(inside))
}
at <- function(free) setNames(c(free[1], exp(free[2:3]), plogis(free[4:5])), names(truth))
of <- function(p) cbind(chances(p["level"], p["noise"]), chances(p["level"] - p["depth"], p["noise"]))
written_out <- function(free) {
  p <- at(free)
  one <- rbind(c(1 - p["onset"], p["onset"]), c(p["recovery"], 1 - p["recovery"]))
  powers <- Reduce(`%*%`, rep(list(one), 12), diag(2), accumulate = TRUE)
  chance <- of(p)
  sum(sapply(courses, function(these) {
    weight <- c(1, 0)
    gaps <- diff(c(2, these$session))
    for (i in seq_along(gaps)) weight <- (weight %*% powers[[gaps[i] + 1]]) * chance[these$category[i], ]
    -log(sum(weight))
  }))
}
by_msm <- function(free) {
  p <- at(free)
  both <- p["onset"] + p["recovery"]
  rates <- p[c("onset", "recovery")] * -log(1 - both) / both
  chance <- of(p)
  msm(category ~ session,
    subject = course, data = data, fixedpars = TRUE, initprobs = c(1, 0),
    qmatrix = rbind(c(0, rates[1]), c(rates[2], 0)), hmodel = list(hmmCat(chance[, 1]), hmmCat(chance[, 2]))
  )
}

start <- c(truth[1], log(truth[2:3]), qlogis(truth[4:5]))
free <- nlminb(start, written_out)$par
for (round in 1:6) {
  step <- solve(numDeriv::hessian(written_out, free), numDeriv::grad(written_out, free))
  free <- free - step
}
stopifnot(abs(step) < 1e-7)
results <- function(case, free) {
  fitted <- by_msm(free)
  loglik <- -fitted$minus2loglik / 2
  stopifnot(abs(loglik + written_out(free)) < 1e-8)
  posterior <- viterbi.msm(fitted)$pstate[, 2]
  p <- at(free)
  data.frame(
    case = case, name = c(names(p), "loglik", paste0("open:", data$course, ":", data$session)),
    value = sprintf("%.12g", c(p, loglik, posterior))
  )
}
write.csv(
  rbind(results("planted", start), results("highest", free)),
  file.path(out, "markov_results.csv"),
  row.names = FALSE, quote = FALSE
)
