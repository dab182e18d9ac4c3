//! What runs on the target: one file is one module.
