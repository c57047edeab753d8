//! Runs that end at any step that must be done as a whole or not at all, with their process or with their machine, and
//! what the next run makes of what is left.
//!
//! A few hundred endings are tried; `GQLDUMP_CRASHES=all` tries every step in every scene and format.

mod points;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod power;
mod scene;
mod signals;

/// Whether everything is to be tried, for which nobody waits.
fn is_thorough() -> bool {
    std::env::var_os("GQLDUMP_CRASHES").is_some_and(|value| value == "all")
}
