//! Runs plays: strategy, tasks, loops, handlers, includes.
