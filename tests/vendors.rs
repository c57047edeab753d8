//! The APIs that query files are shipped for, against their stand-ins.

mod conviso;
mod fluidattacks;
mod github;
