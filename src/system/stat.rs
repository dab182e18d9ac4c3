//! What a machine says about a path.

/// Seconds and nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Whole seconds.
    pub seconds: i64,
    /// The rest, below a thousand million.
    pub nanoseconds: u32,
}

impl Time {
    /// Makes a time of seconds with a fraction.
    pub fn from_f64(seconds: f64) -> Time {
        let whole = seconds.floor();
        Time {
            seconds: whole as i64,
            nanoseconds: ((seconds - whole) * 1e9) as u32,
        }
    }

    /// Returns the seconds with their fraction, as Python's `st_mtime`.
    pub fn as_f64(self) -> f64 {
        self.seconds as f64 + 1e-9 * f64::from(self.nanoseconds)
    }
}

/// The kinds of things a path can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    Character,
    /// A block device.
    Block,
}

impl FileType {
    /// Returns the type's bits of a mode (`S_IFMT`).
    pub fn bits(self) -> u32 {
        match self {
            FileType::Fifo => 0o010_000,
            FileType::Character => 0o020_000,
            FileType::Directory => 0o040_000,
            FileType::Block => 0o060_000,
            FileType::File => 0o100_000,
            FileType::Link => 0o120_000,
            FileType::Socket => 0o140_000,
        }
    }
}

/// The fields of `struct stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Number of names.
    pub nlink: u64,
    /// Inode.
    pub inode: u64,
    /// Device that holds it.
    pub dev: u64,
    /// Device that it is.
    pub rdev: u64,
    /// 512-byte blocks in use.
    pub blocks: u64,
    /// Preferred size of reads.
    pub block_size: u64,
    /// Last access.
    pub atime: Time,
    /// Last change of content.
    pub mtime: Time,
    /// Last change of the inode.
    pub ctime: Time,
}

impl Stat {
    /// Returns the permission bits, `0o7777`.
    pub fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }

    /// Returns what it is.
    pub fn file_type(&self) -> FileType {
        match self.mode & 0o170_000 {
            0o010_000 => FileType::Fifo,
            0o020_000 => FileType::Character,
            0o040_000 => FileType::Directory,
            0o060_000 => FileType::Block,
            0o120_000 => FileType::Link,
            0o140_000 => FileType::Socket,
            _ => FileType::File,
        }
    }

    /// Says whether it is of a type.
    pub fn is(&self, file_type: FileType) -> bool {
        self.file_type() == file_type
    }
}
