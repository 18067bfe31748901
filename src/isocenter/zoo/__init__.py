"""Models as signed files: packages, cards, keys, predictors. Nothing in a package is ever executed."""
