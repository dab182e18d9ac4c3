//! What several integration tests need: places to run in and programs to run there.

pub(crate) mod eval;
pub(crate) mod kube;
pub(crate) mod lab;
pub(crate) mod sandbox;
pub(crate) mod watch;
