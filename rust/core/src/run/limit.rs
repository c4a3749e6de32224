//! How long a run may take: what its jobs say, and what the command line says.

use super::words::spell_duration;
use crate::ir::Job;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) ms: u64,
    whose: String,
}

impl Limit {
    /// The shortest limit. Jobs that run together have the sum of their timeouts, as long as each has one
    /// and nothing was `asked` for beside them.
    pub(crate) fn of(jobs: &[(&str, &Job)], asked: usize, given_ms: Option<u64>) -> Option<Self> {
        let limits: Option<Vec<u64>> = jobs.iter().map(|(_, job)| job.timeout_ms).collect();
        let of_jobs = limits
            .filter(|limits| !limits.is_empty() && jobs.len() == asked)
            .map(|limits| limits.into_iter().fold(0, u64::saturating_add));
        let given = given_ms.filter(|ms| of_jobs.is_none_or(|limit| *ms <= limit));
        if let Some(ms) = given {
            let whose = "the run".to_owned();
            return Some(Self { ms, whose });
        }
        let names: Vec<String> = jobs.iter().map(|(id, _)| format!("`{id}`")).collect();
        let noun = if names.len() == 1 { "job" } else { "jobs" };
        let whose = format!("the {noun} {}", names.join(" and "));
        of_jobs.map(|ms| Self { ms, whose })
    }

    /// `the job `verify` may take 10m`
    pub(crate) fn words(&self) -> String {
        format!("{} may take {}", self.whose, spell_duration(self.ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(timeout_ms: Option<u64>) -> Job {
        Job {
            timeout_ms,
            ..Job::default()
        }
    }

    fn words(jobs: &[(&str, &Job)], asked: usize, given_ms: Option<u64>) -> String {
        Limit::of(jobs, asked, given_ms).map_or_else(String::new, |limit| limit.words())
    }

    #[test]
    fn the_shortest_limit_counts() {
        let (short, long, none) = (job(Some(1000)), job(Some(60_000)), job(None));
        assert_eq!(words(&[], 1, None), "");
        assert_eq!(words(&[], 1, Some(5)), "the run may take 5ms");
        assert_eq!(words(&[("a", &short)], 1, None), "the job `a` may take 1s");
        assert_eq!(
            words(&[("a", &short)], 1, Some(2000)),
            "the job `a` may take 1s"
        );
        assert_eq!(
            words(&[("a", &short)], 1, Some(999)),
            "the run may take 999ms"
        );
        let both = [("a", &short), ("b", &long)];
        assert_eq!(words(&both, 2, None), "the jobs `a` and `b` may take 1m 1s");
        assert_eq!(words(&both, 3, None), "");
        assert_eq!(words(&[("a", &short), ("b", &none)], 2, None), "");
    }
}
