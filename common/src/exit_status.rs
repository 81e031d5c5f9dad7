//! What the programs tell the shell when they end.

use std::process::ExitCode;

/// Exit statuses of `trainer` and `infer`. Wrong arguments end with 2, which is clap's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: everything that was asked for was done.
    Success,
    /// 1: nothing (or not the one thing asked for) could be done; one line on stderr says why.
    Failure,
    /// 2: the arguments make no sense together, or name what cannot be; nothing was started.
    Usage,
    /// 3: some inputs failed and were reported; the others were done.
    SomeInputsFailed,
    /// 130: the user ended it (Ctrl-C, or a request to terminate); what had been done is kept.
    Interrupted,
}

impl ExitStatus {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::SomeInputsFailed => 3,
            Self::Interrupted => 130,
        }
    }

    /// Ends the program at once, without libtorch taking itself apart first, which takes longer than to paint a small picture.
    /// Nothing may be left to do: values that still live are not dropped.
    pub fn leave(self) -> ! {
        // What stdout holds back; if nobody listens any more, nobody is told.
        let _ = std::io::Write::flush(&mut std::io::stdout());
        #[cfg(unix)]
        #[allow(unsafe_code)]
        // SAFETY: it takes a number and does not return; the system takes back all that the process has.
        unsafe {
            libc::_exit(self.code().into())
        }
        #[cfg(not(unix))]
        std::process::exit(self.code().into())
    }

    /// The status of a program that ends with this error.
    pub fn of_error(error: &(dyn std::error::Error + 'static)) -> Self {
        if error.is::<UsageError>() { Self::Usage } else { Self::Failure }
    }

    /// The status of a run over `total` inputs of which `failed` failed. A run whose every input failed has
    /// done nothing, which is a failure.
    pub fn of_inputs(total: usize, failed: usize) -> Self {
        match failed {
            0 => Self::Success,
            _ if failed == total => Self::Failure,
            _ => Self::SomeInputsFailed,
        }
    }
}

/// Arguments that make no sense, found after clap was done with them.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_input_of_many_is_neither_success_nor_failure() {
        assert_eq!(ExitStatus::of_inputs(3, 0), ExitStatus::Success);
        assert_eq!(ExitStatus::of_inputs(3, 1), ExitStatus::SomeInputsFailed);
        assert_eq!(ExitStatus::of_inputs(3, 3), ExitStatus::Failure);
        assert_eq!(ExitStatus::of_inputs(1, 1), ExitStatus::Failure);
    }

    #[test]
    fn codes_are_those_of_the_manual() {
        let statuses = [
            ExitStatus::Success,
            ExitStatus::Failure,
            ExitStatus::Usage,
            ExitStatus::SomeInputsFailed,
            ExitStatus::Interrupted,
        ];
        assert_eq!(statuses.map(ExitStatus::code), [0, 1, 2, 3, 130]);
    }
}
