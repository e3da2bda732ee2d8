"""Asking a whole set of questions and scoring what comes back, without a judge model."""
