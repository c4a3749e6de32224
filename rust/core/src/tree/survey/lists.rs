//! The lists of sets in a survey: each stands there once, and files say at which place theirs begins.

use std::collections::HashMap;
use std::sync::Arc;

use super::{FILE, FOLDER, HEADER, Survey, number32};
use crate::glob::SetId;

impl Survey {
    /// Every list by its place. None if they do not follow one upon the other, or if one is longer than
    /// there are sets or names one that there is not: what is made of them is then in proportion to them.
    pub(in crate::tree) fn lists(&self, set_count: usize) -> Option<HashMap<u32, Arc<[SetId]>>> {
        let start = HEADER + self.folders * FOLDER + self.files * FILE;
        let table = self.bytes.get(start..start + self.lists * 4)?;
        let mut lists = HashMap::new();
        let mut at = 0;
        while at < self.lists {
            let length = number32(table, at * 4)? as usize;
            if length > set_count || length > self.lists - at - 1 {
                return None;
            }
            let sets = (at + 1..=at + length).map(|place| {
                let set = number32(table, place * 4)?;
                ((set as usize) < set_count).then_some(set)
            });
            lists.insert(u32::try_from(at).ok()?, sets.collect::<Option<_>>()?);
            at += 1 + length;
        }
        Some(lists)
    }
}
