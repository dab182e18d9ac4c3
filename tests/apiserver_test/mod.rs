//! The stand-in API server: its answers over HTTP, and real kubectl's work with it.

mod http;
mod kubectl;
