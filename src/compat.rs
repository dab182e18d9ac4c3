//! The compatibility levels, and every point where they differ.
