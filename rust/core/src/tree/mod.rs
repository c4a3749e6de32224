//! The project's files as the tasks see them: one walk, a memory of what was hashed, manifests.

mod as_surveyed;
mod identity;
mod ignore_files;
mod ignore_rule;
mod index;
mod journal;
mod kept;
mod manifest;
mod name;
mod os;
mod part;
mod read_ahead;
mod relist;
mod resume;
mod rules;
mod stamp;
mod survey;
mod walk;
mod walk_below;

pub use identity::{Identity, Kind};
pub use index::{Fresh, Index, Known};
pub use journal::{append as append_to_journal, journal_of};
pub use kept::keep_newest;
pub use manifest::{Change, Difference, Entry, EntryKind, Manifest, Sum, differences};
pub use name::Name;
pub use os::{Folder, open_file, path_of, read_link, read_own};
pub(crate) use part::{resume_part, touched_sets};
pub use read_ahead::ReadAhead;
pub use relist::{Now, Relisted, relist};
pub use resume::{Resumed, resume, rules_above};
pub use stamp::{Stamp, has_no_writer};
pub use survey::{
    Changes, Pieces, Seen, SumOf, Summed, Survey, Surveyed, generation_of, is_surveyable,
    write as write_survey,
};
pub use walk::{Counters, FolderFound, Found, Project, Walk, is_gone, is_never, walk};
pub use walk_below::walk_below;
