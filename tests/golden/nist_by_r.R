#!/usr/bin/env Rscript
# Prints the digits of lm on NIST's sets, for the table of tests/README.md: of the worst coefficient, and of the worst of
# standard errors, residual deviation, R-squared and F.
#   Rscript tests/golden/nist_by_r.R
arguments <- commandArgs(FALSE)
here <- dirname(sub("--file=", "", arguments[grep("--file=", arguments)]))
sets <- jsonlite::fromJSON(file.path(here, "nist.json"), simplifyVector = TRUE)
digits <- function(got, certified) {
  got <- signif(got, 15) # as many as are certified
  error <- ifelse(certified != 0, abs(got / certified - 1), abs(got))
  min(pmin(pmax(-log10(ifelse(error > 0, error, 1e-15)), 0), 15))
}
for (name in names(sets)) {
  s <- sets[[name]]
  x <- as.matrix(s$x)
  if (s$degree > 1) x <- sapply(seq_len(s$degree), function(p) x[, 1]^p)
  m <- if (s$constant) lm(s$y ~ x, tol = 1e-20) else lm(s$y ~ 0 + x, tol = 1e-20)
  r <- suppressWarnings(summary(m))
  rest <- min(digits(r$coefficients[, 2], s$std_errors), digits(r$sigma, s$residual_deviation),
              digits(r$r.squared, s$r_squared), if (is.null(s$f_value) || is.na(s$f_value)) 15 else
                digits(r$fstatistic[[1]], s$f_value))
  cat(sprintf("| %s | %.1f | %.1f |\n", name, digits(coef(m), s$coefficients), rest))
}
