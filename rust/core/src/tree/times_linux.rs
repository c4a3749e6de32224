//! Which file systems of Linux keep the times of folders as POSIX asks for.

use std::os::fd::OwnedFd;

/// Local ones, by the numbers of Linux's `magic.h`. Servers of network file systems and the programs
/// behind FUSE may keep times as they like, and other machines write there with clocks of their own.
const TRUSTED: [u64; 7] = [
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // Btrfs
    0x0102_1994, // tmpfs
    0x794C_7630, // overlayfs
    0x2FC1_2FC1, // ZFS
    0xF2F5_2010, // F2FS
];

pub(super) fn keeps_folder_times(folder: &OwnedFd) -> bool {
    let is_trusted = |kind: u64| TRUSTED.contains(&(kind & 0xFFFF_FFFF));
    #[allow(
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "the field's type differs from machine to machine"
    )]
    rustix::fs::fstatfs(folder).is_ok_and(|found| is_trusted(found.f_type as u64))
}
