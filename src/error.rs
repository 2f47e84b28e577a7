//! Errors as the operator sees them: the chain of causes in one line, and exit codes.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Exit code of a run that could not begin because of its configuration or environment (the value
/// of `EX_CONFIG` in BSD's `sysexits.h`).
const EX_CONFIG: u8 = 78;

/// A failure that ends the program.
#[derive(Debug)]
pub struct Fatal {
    message: String,
    code: u8,
}

impl Fatal {
    /// The operator must change something: a setting, a file, a permission.
    pub fn config(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: EX_CONFIG,
        }
    }

    /// Something failed while running.
    pub fn failure(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An error with its causes, from the outermost in.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their cause in their own words.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_chain_names_each_cause_once() {
        assert_eq!(
            chain(&Outer(std::io::Error::other("inner"))),
            "outer: inner"
        );
    }
}
