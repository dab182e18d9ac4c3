//! Bytes to a process elsewhere: local, ssh.

pub mod ssh;
