//! The APIs that gqldump was asked for: each stand-in with all that is known of the real one.

mod conviso;
mod fibery;
mod fluidattacks;
mod github;
mod tokens;
