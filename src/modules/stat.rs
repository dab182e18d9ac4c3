//! `stat`: everything the system says about a path.

use super::outcome::errno_path;
use super::perms::{group_name, octal, owner_name};
use super::{Default, Fail, Invocation, Kind, Module, Param, Ran, Spec};
use crate::diag::os_message;
use crate::system::{
    Access, Algorithm, Command, Executed, FileType, Stat, System, canonical, errno,
};
use crate::value::{Dict, Value};

/// The table's row.
pub(super) const MODULE: Module = Module {
    name: "stat",
    spec: Spec {
        params: &[
            Param::new("path", Kind::Path)
                .required()
                .aliases(&["dest", "name"]),
            Param::new("follow", Kind::Bool).default(Default::Bool(false)),
            Param::new("get_checksum", Kind::Bool).default(Default::Bool(true)),
            Param::new("get_mime", Kind::Bool)
                .default(Default::Bool(true))
                .aliases(&["mime", "mime_type", "mime-type"]),
            Param::new("get_attributes", Kind::Bool)
                .default(Default::Bool(true))
                .aliases(&["attr", "attributes"]),
            Param::new("get_selinux_context", Kind::Bool).default(Default::Bool(false)),
            Param::new("checksum_algorithm", Kind::Str)
                .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
                .default(Default::Str("sha1"))
                .aliases(&["checksum", "checksum_algo"]),
        ],
        file: false,
        mutually_exclusive: &[],
        required_if: &[],
    },
    legacy: false,
    settle: None,
    doc: "Reports what a path is.",
    example: "- stat:\n    path: /etc/hosts\n  register: hosts",
    run,
};

fn run(invocation: &Invocation<'_>, system: &dyn System) -> Ran {
    let path = invocation.path("path").unwrap_or_default();
    let looked = if invocation.is("follow") {
        system.stat(&path)
    } else {
        system.lstat(&path)
    };
    let result = Dict::new();
    result.set("changed", false);
    let report = Dict::new();
    let stat = match looked {
        Ok(stat) => stat,
        Err(e) if e.raw_os_error() == Some(errno::ENOENT) => {
            report.set("exists", false);
            result.set("stat", report);
            return Ok(result);
        }
        Err(e) => {
            return Err(Fail::new(os_message(&e)).because(errno_path(&e, &path)));
        }
    };
    fields(&report, &stat);
    report.set("path", path.display().to_string());
    for (key, access) in [
        ("readable", Access::Read),
        ("writeable", Access::Write),
        ("executable", Access::Execute),
    ] {
        report.set(key, system.access(&path, access).unwrap_or(false));
    }
    report.set("pw_name", owner_name(system, stat.uid));
    report.set("gr_name", group_name(system, stat.gid));
    if stat.is(FileType::Link) {
        if let Ok(target) = system.readlink(&path) {
            report.set("lnk_target", target.display().to_string());
        }
        if let Ok(source) = canonical(system, &path) {
            report.set("lnk_source", source.display().to_string());
        }
    }
    let readable = system.access(&path, Access::Read).unwrap_or(false);
    if stat.is(FileType::File) && readable && invocation.is("get_checksum") {
        let algorithm = match invocation.text("checksum_algorithm").as_deref() {
            Some("md5") => Algorithm::Md5,
            Some("sha224") => Algorithm::Sha224,
            Some("sha256") => Algorithm::Sha256,
            Some("sha384") => Algorithm::Sha384,
            Some("sha512") => Algorithm::Sha512,
            _ => Algorithm::Sha1,
        };
        if let Ok(digest) = system.digest(&path, algorithm) {
            report.set("checksum", digest);
        }
    }
    let name = path.display().to_string();
    let said = |argv: &[&str]| match system.exec(&Command::read(argv.iter().copied())) {
        Ok(Executed::Ran(output)) if output.rc == 0 => {
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => None,
    };
    if invocation.is("get_mime") {
        let said = said(&["file", "--mime-type", "--mime-encoding", "--", &name]);
        let (mime, charset) = said
            .as_deref()
            .and_then(|text| text.rsplit_once(": "))
            .and_then(|(_, rest)| rest.split_once("; charset="))
            .unwrap_or(("unknown", "unknown"));
        report.set("mimetype", mime.trim());
        report.set("charset", charset.trim());
    }
    if invocation.is("get_attributes") {
        let said = said(&["lsattr", "-vd", "--", &name]).unwrap_or_default();
        let mut words = said.split_whitespace();
        if let (Some(version), Some(flags)) = (words.next(), words.next()) {
            let flags: String = flags.chars().filter(|c| *c != '-').collect();
            let names = flags
                .chars()
                .filter_map(attribute)
                .map(Value::from)
                .collect();
            report.set("version", version);
            report.set("attributes", Value::list(names));
            report.set("attr_flags", flags);
        } else {
            report.set("version", Value::None);
            report.set("attributes", Value::list(vec![]));
            report.set("attr_flags", "");
        }
    }
    result.set("stat", report);
    Ok(result)
}

fn fields(report: &Dict, stat: &Stat) {
    report.set("exists", true);
    report.set("mode", octal(stat.permissions()));
    let kinds = [
        ("isdir", FileType::Directory),
        ("ischr", FileType::Character),
        ("isblk", FileType::Block),
        ("isreg", FileType::File),
        ("isfifo", FileType::Fifo),
        ("islnk", FileType::Link),
        ("issock", FileType::Socket),
    ];
    for (key, kind) in kinds {
        report.set(key, stat.is(kind));
    }
    let bits = [
        ("isuid", 0o4000),
        ("isgid", 0o2000),
        ("rusr", 0o400),
        ("wusr", 0o200),
        ("xusr", 0o100),
        ("rgrp", 0o040),
        ("wgrp", 0o020),
        ("xgrp", 0o010),
        ("roth", 0o004),
        ("woth", 0o002),
        ("xoth", 0o001),
    ];
    for (key, bit) in bits {
        report.set(key, stat.mode & bit != 0);
    }
    report.set("uid", stat.uid);
    report.set("gid", stat.gid);
    report.set("size", stat.size);
    report.set("inode", stat.inode);
    report.set("dev", stat.dev);
    report.set("nlink", stat.nlink);
    report.set("atime", stat.atime.as_f64());
    report.set("mtime", stat.mtime.as_f64());
    report.set("ctime", stat.ctime.as_f64());
    report.set("blocks", stat.blocks);
    report.set("block_size", stat.block_size);
    report.set("device_type", stat.rdev);
}

fn attribute(flag: char) -> Option<&'static str> {
    Some(match flag {
        'A' => "noatime",
        'a' => "append",
        'c' => "compressed",
        'C' => "nocow",
        'd' => "nodump",
        'D' => "dirsync",
        'e' => "extents",
        'E' => "encrypted",
        'h' => "blocksize",
        'i' => "immutable",
        'I' => "indexed",
        'j' => "journalled",
        'N' => "inline",
        's' => "zero",
        'S' => "synchronous",
        't' => "notail",
        'T' => "blockroot",
        'u' => "undelete",
        'X' => "compressedraw",
        'Z' => "compresseddirty",
        _ => return None,
    })
}
