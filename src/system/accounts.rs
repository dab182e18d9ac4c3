//! Users and groups: `/etc/passwd` and `/etc/group`, then `getent` for what is kept elsewhere.
//!
//! The binary is linked statically, so the C library's name service is not at hand.

use std::path::Path;

use super::{Command, Executed, System};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Full name, and whatever else the comment field holds.
    pub gecos: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Names of members for whom it isn't the primary group.
    pub members: Vec<String>,
}

/// Finds a user by name.
pub fn user(system: &dyn System, name: &str) -> Option<User> {
    find(system, "passwd", name, |line| {
        user_of(line).filter(|u| u.name == name)
    })
}

/// Finds a user by id.
pub fn user_by_id(system: &dyn System, uid: u32) -> Option<User> {
    find(system, "passwd", &uid.to_string(), |line| {
        user_of(line).filter(|u| u.uid == uid)
    })
}

/// Finds a group by name.
pub fn group(system: &dyn System, name: &str) -> Option<Group> {
    find(system, "group", name, |line| {
        group_of(line).filter(|g| g.name == name)
    })
}

/// Finds a group by id.
pub fn group_by_id(system: &dyn System, gid: u32) -> Option<Group> {
    find(system, "group", &gid.to_string(), |line| {
        group_of(line).filter(|g| g.gid == gid)
    })
}

fn find<T>(
    system: &dyn System,
    database: &str,
    key: &str,
    pick: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    if key.is_empty() || key.contains(['\n', ':', '\0']) {
        return None;
    }
    let bytes = system
        .read(Path::new(&format!("/etc/{database}")))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    if let Some(found) = text.lines().find_map(&pick) {
        return Some(found);
    }
    let command = Command::read(["getent", database, "--", key]);
    match system.exec(&command) {
        Ok(Executed::Ran(output)) if output.rc == 0 => String::from_utf8_lossy(&output.stdout)
            .lines()
            .find_map(pick),
        _ => None,
    }
}

fn user_of(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, gecos, home, shell] = fields[..] else {
        return None;
    };
    Some(User {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: gecos.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
    })
}

fn group_of(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else {
        return None;
    };
    Some(Group {
        name: name.to_owned(),
        gid: gid.parse().ok()?,
        members: members
            .split(',')
            .filter(|m| !m.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Fake;

    #[test]
    fn accounts_are_found_by_name_and_by_id() {
        let machine = Fake::new();
        assert_eq!(user(&machine, "root").map(|u| u.uid), Some(0));
        assert_eq!(
            user_by_id(&machine, 0).map(|u| u.home),
            Some("/root".to_owned())
        );
        assert_eq!(group(&machine, "root").map(|g| g.gid), Some(0));
        assert_eq!(group_by_id(&machine, 4711), None);
    }
}
