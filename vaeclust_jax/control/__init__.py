"""Weights of the loss (beta, gamma) that change while training: schedules, and rules that watch the losses."""
