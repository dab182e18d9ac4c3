//! Commands that a module stands for, as Ansible 2.9 warns of them.

/// What `file` sets in place of a command.
const FILE: &[(&str, &str)] = &[
    ("chgrp", "group"),
    ("chmod", "mode"),
    ("chown", "owner"),
    ("ln", "state=link"),
    ("mkdir", "state=directory"),
    ("rm", "state=absent"),
    ("rmdir", "state=absent"),
    ("touch", "state=touch"),
];

/// Modules in place of commands.
const MODULES: &[(&str, &str)] = &[
    ("apt-get", "apt"),
    ("curl", "get_url or uri"),
    ("dnf", "dnf"),
    ("mount", "mount"),
    ("rpm", "yum, dnf or zypper"),
    ("sed", "replace, lineinfile or template"),
    ("service", "service"),
    ("svn", "subversion"),
    ("tar", "unarchive"),
    ("unzip", "unarchive"),
    ("wget", "get_url or uri"),
    ("yum", "yum"),
    ("zypper", "zypper"),
];

/// Commands in place of which a task becomes another user.
const BECOME: &[&str] = &["pbrun", "pfexec", "pmrun", "runas", "su", "sudo"];

/// Returns the warning about a command, if there is one.
pub(super) fn of(command: &str) -> Option<String> {
    let find = |table: &[(&'static str, &'static str)]| {
        table
            .iter()
            .find(|(name, _)| *name == command)
            .map(|(_, instead)| *instead)
    };
    let end = |module: &str| {
        format!(
            "rather than running '{command}'.  If you need to use command because {module} is insufficient you can add 'warn: false' to this command task or set 'command_warnings=False' in ansible.cfg to get rid of this message."
        )
    };
    if let Some(with) = find(FILE) {
        return Some(format!(
            "Consider using the file module with {with} {}",
            end("file")
        ));
    }
    if let Some(module) = find(MODULES) {
        return Some(format!(
            "Consider using the {module} module {}",
            end(module)
        ));
    }
    BECOME.contains(&command).then(|| {
        format!(
            "Consider using 'become', 'become_method', and 'become_user' rather than running {command}"
        )
    })
}
