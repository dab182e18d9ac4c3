//! Plays, blocks, tasks, handlers and roles as plain data with places.
