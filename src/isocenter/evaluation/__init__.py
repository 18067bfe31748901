"""How good an answer is: arrays of answers and truths in, figures with confidence intervals out."""
