//! Why a run has no result.

use crate::report::Unchecked;

/// The sentence that says why nothing was checked.
pub fn reason(unchecked: Unchecked) -> String {
    match unchecked {
        Unchecked::Empty => "there is no operation, no webhook and no schema".to_owned(),
        Unchecked::Excluded => {
            "--include and --exclude leave no operation; change the patterns".to_owned()
        }
        Unchecked::NoBase => {
            "each pair has only one document, which is compared with its merge base; add --base REV"
                .to_owned()
        }
        Unchecked::NoSamples { operations: 1 } => "the only operation has no sample".to_owned(),
        Unchecked::NoSamples { operations } => {
            format!("none of {operations} operations has a sample")
        }
        Unchecked::NotSent { samples: 1 } => "the only sample could not be sent".to_owned(),
        Unchecked::NotSent { samples } => {
            format!("none of {samples} samples could be sent")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_agrees_with_the_number() {
        for (unchecked, expected) in [
            (
                Unchecked::NoSamples { operations: 5 },
                "none of 5 operations has a sample",
            ),
            (
                Unchecked::NoSamples { operations: 1 },
                "the only operation has no sample",
            ),
            (
                Unchecked::NotSent { samples: 2 },
                "none of 2 samples could be sent",
            ),
        ] {
            assert_eq!(reason(unchecked), expected);
        }
    }
}
