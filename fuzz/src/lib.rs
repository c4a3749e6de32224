//! What the fuzzer does with the bytes it makes up: a module a target, each with seeds to begin with.
//!
//! Everything here reads from disk or from strangers. No bytes may bring about a panic, a hang, memory
//! out of proportion, or an answer that is wrong; the modules assert what can be said about answers.

pub mod compiled;
pub mod documents;
pub mod index;
pub mod ir;
pub mod manifest;
pub mod patterns;
pub mod redaction;
pub mod restore;
pub mod sealed;
pub mod settled;
pub mod source;
pub mod state;
pub mod store;
pub mod survey;

/// Takes one piece of input.
pub type Run = fn(&[u8]);

/// All targets by name, with their seeds.
pub fn targets() -> [(&'static str, Run, Vec<Vec<u8>>); 13] {
    [
        ("compiled", compiled::run, compiled::seeds()),
        ("documents", documents::run, documents::seeds()),
        ("index", index::run, index::seeds()),
        ("ir", ir::run, ir::seeds()),
        ("manifest", manifest::run, manifest::seeds()),
        ("patterns", patterns::run, patterns::seeds()),
        ("redaction", redaction::run, redaction::seeds()),
        ("restore", restore::run, restore::seeds()),
        ("sealed", sealed::run, sealed::seeds()),
        ("settled", settled::run, settled::seeds()),
        ("state", state::run, state::seeds()),
        ("store", store::run, store::seeds()),
        ("survey", survey::run, survey::seeds()),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_target_fails_on_its_seeds_or_on_what_is_left_of_them() {
        for (_, run, seeds) in super::targets() {
            for seed in seeds {
                for length in (0..=seed.len()).rev().step_by(seed.len() / 32 + 1) {
                    run(&seed[..length]);
                }
            }
        }
    }
}
