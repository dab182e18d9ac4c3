//! The machine as modules see it: one trait, several backings.
