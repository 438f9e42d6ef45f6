#!/usr/bin/env Rscript
# Makes tests/golden/inference/: NAME.csv and NAME.json, what R says of it: lm, car's Anova, emmeans, sandwich.
#   Rscript tests/golden/make_inference.R
# Debian 12: r-base-core 4.2.2, r-cran-car 3.1-1, r-cran-emmeans 1.8.4, r-cran-sandwich 3.0-2, r-cran-jsonlite 1.8.4.
# range.json holds values of ptukey and qtukey, whose error is up to 2e-4 where df is below 5 or the tail far, and of the
# power of a t test.
suppressMessages({library(car); library(emmeans); library(sandwich); library(jsonlite)})
arguments <- commandArgs(FALSE)
out <- file.path(dirname(sub("--file=", "", arguments[grep("--file=", arguments)])), "inference")
invisible(Sys.setlocale("LC_COLLATE", "C"))

save_json <- function(name, value)
  writeLines(toJSON(value, digits = NA, auto_unbox = TRUE, na = "null", null = "null", pretty = TRUE),
             file.path(out, paste0(name, ".json")))

numbers <- function(x) I(as.numeric(unname(x)))

estimates <- function(s) {
  s <- as.data.frame(s)
  value <- s[[intersect(c("emmean", "estimate"), names(s))[1]]]
  list(value = numbers(value), std_error = numbers(s$SE), low = numbers(s$lower.CL), high = numbers(s$upper.CL),
       p_value = if (is.null(s$p.value)) NULL else numbers(s$p.value))
}

names_of <- function(s) I(as.character(as.data.frame(s)[[1]]))

# Means of the levels and their differences, each with Tukey's and with Holm's adjustment.
means <- function(model, factors, covariance, df) {
  one <- function(f) {
    e <- if (is.null(covariance)) emmeans(model, f, data = attr(model, "table"))
         else emmeans(model, f, data = attr(model, "table"), vcov. = covariance, df = df)
    p <- pairs(e, reverse = TRUE)
    tukey <- summary(p, infer = TRUE, adjust = "tukey")
    holm <- summary(p, infer = TRUE, adjust = "holm")
    bonferroni <- summary(p, infer = TRUE, adjust = "bonferroni")
    holm$lower.CL <- bonferroni$lower.CL
    holm$upper.CL <- bonferroni$upper.CL
    c(list(levels = names_of(e), means = estimates(summary(e, infer = c(TRUE, FALSE)))),
      list(pairs = names_of(tukey), tukey = estimates(tukey), holm = estimates(holm)))
  }
  Map(one, factors)
}

effects <- function(a, df) {
  rows <- setdiff(rownames(a), c("Residuals", "(Intercept)"))
  f <- a[rows, intersect(c("F", "F value"), names(a))]
  d <- a[rows, "Df"]
  list(term = I(sub("poly.*", "x", gsub(" ", "", rows))), df = numbers(d),
       sum_squares = if ("Sum Sq" %in% names(a)) numbers(a[rows, "Sum Sq"]) else NULL,
       f_value = numbers(f), p_value = numbers(pf(f, d, df, lower.tail = FALSE)))
}

# What a number does where the others are at their means and factors at all levels alike.
slope <- function(model, number, covariance, df) {
  table <- attr(model, "table")
  s <- if (is.null(covariance)) emtrends(model, ~1, var = number, data = table)
       else emtrends(model, ~1, var = number, data = table, vcov. = covariance, df = df)
  s <- as.data.frame(summary(s, infer = TRUE))
  names(s)[2] <- "estimate"
  c(list(name = number), estimates(s))
}

fit <- function(kind, model, by_sum, factors, cluster, slopes) {
  rest <- df.residual(model)
  covariance <- function(m) switch(kind, classical = NULL, cluster = vcovCL(m, cluster = cluster, type = "HC1"),
                                   vcovHC(m, type = toupper(kind)))
  v <- covariance(model)
  df <- if (kind == "cluster") length(unique(cluster)) - 1 else rest
  full <- if (is.null(v)) vcov(model, complete = FALSE) else v[!is.na(v[, 1]), !is.na(v[, 1]), drop = FALSE]
  se <- rep(NA, length(coef(model)))
  se[!is.na(coef(model))] <- sqrt(diag(full))
  result <- list(covariance = kind, std_errors = numbers(se), df_inference = df,
                 anova2 = effects(if (is.null(v)) Anova(model, type = 2) else Anova(model, type = 2, vcov. = v), df))
  aliased <- any(is.na(coef(model)))
  if (!aliased) {
    w <- covariance(by_sum)
    result$anova3 <- effects(if (is.null(w)) Anova(by_sum, type = 3) else Anova(by_sum, type = 3, vcov. = w), df)
  }
  result$means <- means(model, factors, v, df)
  if (length(slopes)) result$slopes <- lapply(slopes, slope, model = model, covariance = v, df = df)
  result
}

# `factors` become R's factors with levels in the order of bytes; `asked` are those whose means are wanted.
save_case <- function(name, data, formula, factors, asked, options, kinds, cluster = NULL, slopes = NULL) {
  path <- file.path(out, paste0(name, ".csv"))
  write.csv(data, path, row.names = FALSE, quote = FALSE)
  data <- read.csv(path, colClasses = "character")
  for (column in names(data)) {
    if (column %in% factors) data[[column]] <- factor(data[[column]], levels = sort(unique(data[[column]])))
    else if (!grepl("[a-z]", data[[column]][1])) data[[column]] <- as.numeric(data[[column]])
  }
  model <- lm(formula, data)
  attr(model, "table") <- data
  sums <- Map(function(f) "contr.sum", intersect(factors, all.vars(formula)))
  by_sum <- do.call(lm, list(formula = formula, data = data, contrasts = sums))
  groups <- if (is.null(cluster)) NULL else data[[cluster]]
  save_json(name, list(options = options, coefficients = numbers(coef(model)), sigma = sigma(model),
                       r_squared = summary(model)$r.squared,
                       fits = lapply(kinds, fit, model, by_sum, asked, groups, slopes)))
}

sweep_data <- function(seeds) {
  d <- expand.grid(dropout = c("off", "on"), batchnorm = c("off", "on"), attention = c("none", "spatial"),
                   activation = c("elu", "relu", "selu", "sigmoid"), seed = 768 + seq_len(seeds) - 1,
                   stringsAsFactors = FALSE)
  d$test_loss <- round(0.3 - 0.02 * (d$batchnorm == "on") + 0.03 * (d$activation == "sigmoid") +
                       0.004 * (d$activation == "relu") * (d$attention == "spatial") +
                       0.02 * rnorm(seeds)[d$seed - 767] + 0.008 * rnorm(nrow(d)), 6)
  d[, c("activation", "attention", "batchnorm", "dropout", "seed", "test_loss")]
}

unbalanced <- function(n) {
  d <- data.frame(g = sample(c("a", "b", "c"), n, TRUE, c(5, 3, 2)), h = sample(c("u", "v"), n, TRUE),
                  c = paste0("c", sample(1:9, n, TRUE)), x = round(rnorm(n, 3), 3))
  d$y <- round(2 + (d$g == "b") + 0.8 * (d$g == "c") * (d$h == "v") + 0.5 * d$x +
               rnorm(9)[as.integer(substr(d$c, 2, 2))] / 2 + (1 + (d$h == "v")) * rnorm(n), 4)
  d
}

set.seed(7)
all_kinds <- c("classical", "hc0", "hc1", "hc3", "cluster")
save_case("sweep_blocks", sweep_data(3), test_loss ~ batchnorm + dropout + attention + activation + seed,
          c("activation", "attention", "batchnorm", "dropout", "seed"),
          c("batchnorm", "dropout", "attention", "activation"), list(constant = TRUE), c("classical", "hc3"))
save_case("two_way", unbalanced(47), y ~ g * h + x, c("g", "h", "c"), c("g", "h"),
          list(constant = TRUE, terms = I(c("g*h", "x")), cluster = "c"), all_kinds, "c")
save_case("three_way", unbalanced(90), y ~ g * h * x, c("g", "h", "c"), c("g", "h"),
          list(constant = TRUE, terms = I("g*h*x"), cluster = "c"), all_kinds, "c")
additive <- unbalanced(60)
additive$k <- sample(c(1, 2, 4), 60, TRUE)
save_case("categorical_block", additive, y ~ g + x + k + h, c("g", "h", "c", "k"), c("g", "k"),
          list(response = "y", constant = TRUE, columns = I(c("g", "x", "k")), categorical = I("k"), block = "h"), all_kinds[1:4])
holes <- unbalanced(40)
holes <- holes[!(holes$g == "c" & holes$h == "v"), ]
save_case("empty_cell", holes, y ~ g * h, c("g", "h", "c"), c("g", "h"),
          list(constant = TRUE, terms = I("g*h")), "classical")
curved <- unbalanced(50)
curved$y <- round(exp(curved$y / 4), 5)
save_case("powers_of_log", curved, log(y) ~ g + poly(x, 3, raw = TRUE), c("g", "h", "c"), "g",
          list(constant = TRUE, log = TRUE, columns = I("g"), powers = I("x:3")), "classical")

# Numbers: slopes, lack of fit against means of their own, and those means. `steps` is what each slope is for.
number_of <- function(name, data, formula, step, kind) {
  covariance <- function(m) if (kind == "classical") vcov(m, complete = FALSE) else {
    v <- vcovHC(m, type = toupper(kind)); v[!is.na(v[, 1]), !is.na(v[, 1])] }
  line <- lm(formula, data)
  term <- attr(terms(formula), "term.labels")[grep(name, attr(terms(formula), "term.labels"))]
  v <- covariance(line)
  t <- qt(0.975, df.residual(line))
  value <- coef(line)[[term]] * step
  error <- sqrt(v[term, term]) * abs(step)
  wide <- lm(update(formula, paste("~ . + factor(", name, ")")), data)
  added <- grep("factor\\(", names(na.omit(coef(wide))), value = TRUE)
  added <- added[grep(name, added)]
  w <- covariance(wide)
  f <- drop(coef(wide)[added] %*% solve(w[added, added]) %*% coef(wide)[added]) / length(added)
  data$value <- factor(data[[name]])
  of_values <- lm(update(formula, paste("~ . + value -", term)), data)
  attr(of_values, "table") <- data
  list(name = name, step = if (term == name) step else exp(step),
       change = list(value = numbers(value), std_error = numbers(error), low = numbers(value - t * error),
                     high = numbers(value + t * error),
                     p_value = numbers(2 * pt(-abs(value / error), df.residual(line)))),
       lack = list(df = length(added), f_value = f,
                   p_value = pf(f, length(added), df.residual(wide), lower.tail = FALSE)),
       values = means(of_values, "value", if (kind == "classical") NULL else covariance(of_values),
                      df.residual(of_values))[[1]])
}
tuned <- expand.grid(seed = c(7, 8), lr = c(0.001, 0.005, 0.025), latent = c(2, 8, 32),
                     activation = c("elu", "relu"))
tuned$test_loss <- round(0.3 - 0.01 * log(tuned$latent) + 0.004 * log(tuned$lr) + 0.01 * (tuned$activation == "relu") +
                         0.01 * (tuned$seed == 7) + 0.006 * rnorm(nrow(tuned)), 6)
tuned <- tuned[-c(3, 20, 31), ] # no longer balanced
tuned$attention <- tuned$batchnorm <- tuned$dropout <- ifelse(TRUE, "on", "")
tuned$attention <- "none"
path <- file.path(out, "sweep_numbers.csv")
write.csv(tuned[, c("activation", "attention", "batchnorm", "dropout", "latent", "lr", "seed", "test_loss")], path,
          row.names = FALSE, quote = FALSE)
tuned <- read.csv(path)
tuned$activation <- factor(tuned$activation)
tuned$seed <- factor(tuned$seed)
tuned$log_lr <- log(tuned$lr) # a column, so that emmeans holds it at its own mean
formula <- test_loss ~ activation + latent + log_lr + seed
save_json("sweep_numbers", lapply(c("classical", "hc3"), function(kind) list(covariance = kind, numbers = list(
  number_of("latent", tuned, formula, 1, kind), number_of("lr", tuned, formula, log(10), kind)))))

# How many seeds a difference of d takes, and which is seen with those that are there, in the sweep above: the standard
# error goes with the root of their number, and each but the first takes a degree of freedom.
seeds <- fromJSON(file.path(out, "sweep_blocks.json"))
needed <- function(factor, d) {
  error <- max(seeds$fits$means[[factor]]$tukey$std_error[[1]])
  power <- function(s, d) {
    df <- 32 * s - 9 - (s - 3)
    t <- qt(0.975, df)
    shift <- d / (error * sqrt(3 / s))
    pt(t, df, shift, lower.tail = FALSE) + pt(-t, df, shift)
  }
  s <- 1
  while (power(s, d) < 0.8) s <- s + 1
  list(factor = factor, difference = d, seeds = s,
       detectable = uniroot(function(d) power(3, d) - 0.8, c(0, 20 * error), tol = 1e-14)$root)
}
save_json("seeds", list(needed("batchnorm", 0.005), needed("activation", 0.005), needed("dropout", 0.001)))

# Products of two numbers, beside a factor, whose means are those at the numbers' means; and of three.
set.seed(11)
product <- unbalanced(50)
product$z <- round(rexp(50) + product$x / 3, 3)
product$y <- round(product$y + 0.7 * product$x * product$z - 0.4 * product$z, 4)
save_case("product", product, y ~ g + x * z, c("g", "h", "c"), "g",
          list(response = "y", constant = TRUE, terms = I(c("g", "x*z")), cluster = "c"), all_kinds, "c", c("x", "z"))
save_case("product_with_factor", product, y ~ g * x * z, c("g", "h", "c"), "g",
          list(response = "y", constant = TRUE, terms = I("g*x*z"), cluster = "c"), all_kinds[1:4], slopes = c("x", "z"))

tails <- expand.grid(q = c(0.5, 3, 6, 12), df = c(2, 5, 25, 181, 10000), k = c(2, 3, 4, 10, 50))
quantiles <- expand.grid(p = c(0.05, 0.01), df = c(5, 25, 181), k = c(3, 4, 10))
powers <- expand.grid(d = c(0.5, 2, 4), df = c(3, 20, 100))
powers$t <- qt(0.975, powers$df)
save_json("range", list(ptukey = cbind(tails, p = mapply(ptukey, tails$q, tails$k, tails$df, 1, FALSE)),
                        qtukey = cbind(quantiles, q = mapply(qtukey, quantiles$p, quantiles$k, quantiles$df, 1, FALSE)),
                        power = cbind(powers, p = pt(powers$t, powers$df, powers$d, lower.tail = FALSE) +
                                        pt(-powers$t, powers$df, powers$d))))
