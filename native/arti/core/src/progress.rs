//! What a user sees of bootstrapping.

use arti_client::status::BootstrapStatus;

use crate::errors::redact;

/// How far bootstrapping is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// 0 to 1.
    pub fraction: f64,
    /// Whether traffic can flow.
    pub ready: bool,
    /// Why it does not go on, if Arti can tell.
    pub blocked: Option<String>,
    /// One line for people.
    pub summary: String,
}

impl From<&BootstrapStatus> for Progress {
    fn from(status: &BootstrapStatus) -> Self {
        Self {
            fraction: f64::from(status.as_frac()),
            ready: status.ready_for_traffic(),
            blocked: status.blocked().map(|reason| redact(&reason.to_string(), None)),
            summary: redact(&status.to_string(), None),
        }
    }
}
