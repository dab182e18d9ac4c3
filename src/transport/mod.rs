//! Bytes to a process elsewhere: local, ssh, become.
