//! The controller's half of modules that need one: one file is one action.
