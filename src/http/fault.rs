//! Faults of a request, with their places.

/// One fault: where it is and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// A JSON Pointer (RFC 6901) into the body, `""` for the body as a whole, or the bare name of a parameter.
    pub(crate) pointer: String,
    /// The fault, as a fragment that fits behind the place ("must be a string"). Never holds the faulty value.
    pub(crate) message: String,
}

/// All faults of a request, each once, in the order of their pointers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault, unless it is there already.
    pub(crate) fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        let fault = Fault {
            pointer: pointer.into(),
            message: message.into(),
        };
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    /// Adds a fault in place of those at `pointer`: it says more.
    pub(crate) fn set(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.retain(|fault| fault.pointer != pointer);
        self.add(pointer, message);
    }

    /// Whether something is wrong at `pointer` or below it.
    pub(crate) fn at(&self, pointer: &str) -> bool {
        self.0.iter().any(|fault| {
            fault
                .pointer
                .strip_prefix(pointer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The faults, or `Ok` when there are none.
    ///
    /// # Errors
    /// Itself, when it holds any fault.
    pub(crate) fn into_result(mut self) -> Result<(), Self> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        Err(self)
    }

    /// The same faults in a value that lies at `pointer` of a larger one.
    pub(crate) fn below(mut self, pointer: &str) -> Self {
        for fault in &mut self.0 {
            fault.pointer.insert_str(0, pointer);
        }
        self
    }

    /// The faults one by one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

/// The pointer to the member `name` of the object at `pointer` (RFC 6901).
pub(crate) fn member(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_a_part_are_faults_of_the_whole_at_its_place() {
        let mut faults = Faults::default();
        faults.add("", "no");
        faults.add(member("/a", "b/~c"), "no");
        let faults = faults.below("/data");
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/data", "/data/a/b~1~0c"]);
    }

    #[test]
    fn a_fault_is_at_its_own_place_and_at_those_above_it() {
        let mut faults = Faults::default();
        faults.add("/events/0", "no");
        assert!(faults.at("/events") && faults.at("/events/0") && faults.at(""));
        assert!(!faults.at("/event") && !faults.at("/events/00"));
    }
}
