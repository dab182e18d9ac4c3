//! The process on the target and the protocol it speaks.

pub mod message;
