# Simulated sessions in courses in therapists, for the scripts that need more than one data set.

simulate_sessions <- function(seed, therapists, courses, sessions, sd_course, sd_slope, correlation,
                              sd_therapist, start = 0) {
  set.seed(seed)
  therapist_of <- rep(seq_len(therapists), length.out = courses)
  n <- sample(sessions, courses, replace = TRUE)
  covariance <- matrix(c(sd_course^2, correlation * sd_course * sd_slope,
                         correlation * sd_course * sd_slope, sd_slope^2), 2)
  effects <- matrix(rnorm(2 * courses), courses) %*% chol(covariance + diag(1e-12, 2))
  level <- rnorm(therapists, sd = sd_therapist)
  course <- rep(seq_len(courses), n)
  time <- unlist(lapply(n, seq_len)) - 1
  x <- rbinom(length(course), 1, 0.25)
  y <- 20 + 0.4 * time + 1.5 * x + effects[course, 1] + effects[course, 2] * time +
    level[therapist_of[course]] + rnorm(length(course), sd = 3)
  data.frame(course = sprintf("c%03d", course), therapist = sprintf("t%02d", therapist_of[course]),
             time = start + time, x = x, y = round(y, 3))
}

# Residuals that carry over from session to session, also over sessions that are missing.
carried_over <- function(course, session, rho, sd) {
  unlist(lapply(split(session, factor(course, unique(course))), function(sessions) {
    full <- as.numeric(stats::filter(
      c(rnorm(1, sd = sd), rnorm(max(sessions) - 1, sd = sd * sqrt(1 - rho^2))), rho, "recursive"))
    full[sessions]
  }), use.names = FALSE)
}

with_gaps <- function(seed, therapists, courses, sessions, rho, sd_course, sd_slope, sd_therapist,
                      present = 0.8) {
  set.seed(seed)
  n <- sample(sessions, courses, replace = TRUE)
  all_sessions <- data.frame(course = rep(seq_len(courses), n), session = unlist(lapply(n, seq_len)))
  data <- all_sessions[runif(nrow(all_sessions)) < present | all_sessions$session == 1, ]
  therapist_of <- rep(seq_len(therapists), length.out = courses)
  level <- rnorm(therapists, sd = sd_therapist)[therapist_of] + rnorm(courses, sd = sd_course)
  slope <- rnorm(courses, sd = sd_slope)
  data$x <- rbinom(nrow(data), 1, 0.25)
  residual <- carried_over(data$course, data$session, rho, 3)
  data$y <- round(20 + 0.4 * data$session + 1.5 * data$x + level[data$course] +
                    slope[data$course] * data$session + residual, 3)
  data.frame(course = sprintf("c%03d", data$course), therapist = sprintf("t%02d", therapist_of[data$course]),
             session = data$session, x = data$x, y = data$y)
}
