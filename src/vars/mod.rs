//! Variables: precedence levels, facts, magic variables.
