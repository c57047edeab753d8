mod scalar;
pub use scalar::{ScalarType, UnknownScalarType};
