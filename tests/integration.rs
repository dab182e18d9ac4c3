//! The one integration binary: each module below is one area.

mod lab;
mod support;
