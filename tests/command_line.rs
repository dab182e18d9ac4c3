//! The command line itself: help, versions, completions, what is refused.

use crate::support::sandbox::{Ended, Sandbox};

fn called(args: &[&str]) -> Ended {
    Sandbox::new().run(args)
}

#[test]
fn help_names_every_subcommand() {
    let help = called(&["--help"]);
    assert_eq!(help.code, 0, "{}", help.all());
    for name in [
        "run",
        "plan",
        "playbook",
        "render",
        "eval",
        "inventory",
        "completions",
    ] {
        assert!(
            help.out.contains(&format!("\n  {name} ")),
            "{name}: {}",
            help.out
        );
    }
}

#[test]
fn help_of_a_run_names_the_flags_of_ansible_playbook() {
    let help = called(&["playbook", "--help"]);
    assert_eq!(help.code, 0, "{}", help.all());
    for flag in [
        "-i, --inventory",
        "-l, --limit",
        "-t, --tags",
        "--skip-tags",
        "-e, --extra-vars",
        "-f, --forks",
        "-C, --check",
        "-D, --diff",
        "-b, --become",
        "-K, --ask-become-pass",
        "-k, --ask-pass",
        "-u, --user",
        "--start-at-task",
        "--list-hosts",
        "--list-tasks",
        "--list-tags",
        "--syntax-check",
    ] {
        assert!(help.out.contains(flag), "{flag}: {}", help.out);
    }
}

#[test]
fn versions_are_this_program_s_and_the_reproduced_ansible_s() {
    let own = called(&["--version"]);
    assert_eq!(own.out, format!("regrole {}\n", env!("CARGO_PKG_VERSION")));
    for (level, line) in [
        ("2.19", "ansible-playbook [core 2.19."),
        ("2.18", "ansible-playbook [core 2.18."),
        ("2.9", "ansible-playbook 2.9."),
    ] {
        let shown = called(&["playbook", "--version", "--compat", level]);
        assert_eq!(shown.code, 0, "{}", shown.all());
        assert!(shown.out.starts_with(line), "{}", shown.out);
        assert!(shown.out.contains("config file = None"), "{}", shown.out);
    }
}

#[test]
fn completions_of_every_shell_know_the_subcommands_and_flags() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let completions = called(&["completions", shell]);
        assert_eq!(completions.code, 0, "{shell}: {}", completions.err);
        for word in ["inventory", "start-at-task", "completions"] {
            assert!(completions.out.contains(word), "{shell} lacks {word}");
        }
    }
    let unknown = called(&["completions", "csh"]);
    assert_eq!(unknown.code, 2, "{}", unknown.all());
}

#[test]
fn flags_that_cannot_be_honoured_are_refused_before_anything_runs() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  tasks: [{command: touch ran}]\n",
    );
    for flags in [&["--step"][..], &["-M", "library"]] {
        let mut args = vec!["run", "-i", "inventory.ini", "site.yml"];
        args.extend(flags);
        let ended = sandbox.run(&args);
        assert_eq!(ended.code, 2, "{}", ended.all());
        assert!(ended.err.contains("is not supported"), "{}", ended.all());
    }
    assert!(!sandbox.path("ran").exists());
}

#[test]
fn hints_can_be_kept_off_and_never_reach_standard_output() {
    let sandbox = Sandbox::new();
    sandbox.write("site.yml", "- hosts: all\n  taks: []\n");
    let args = ["run", "-i", "inventory.ini", "site.yml"];
    let with = sandbox.run(&args);
    assert!(
        with.err.contains("[HINT]: did you mean `tasks`?"),
        "{}",
        with.err
    );
    assert!(!with.out.contains("[HINT]"), "{}", with.out);
    sandbox.write("ansible.cfg", "[regrole]\nhints = no\n");
    let without = sandbox.run(&args);
    assert!(!without.all().contains("[HINT]"), "{}", without.all());
}

#[test]
fn passwords_of_vaults_are_asked_for_and_a_secret_file_is_never_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("password", "first\n");
    sandbox.write(
        "site.yml",
        "- hosts: localhost\n  gather_facts: false\n  vars_files: [secret.yml]\n  tasks: [{debug: {msg: \"{{ a }}\"}}]\n",
    );
    // `a: "{{ nope_xyz }}"`, encrypted with `first`.
    sandbox.write("secret.yml", SECRET);
    let ended = sandbox.run(&["run", "site.yml", "--vault-password-file", "password"]);
    assert_eq!(ended.code, 2, "{}", ended.all());
    assert!(ended.all().contains("'nope_xyz' is undefined"));
    assert!(
        ended
            .all()
            .contains("(source not shown: content encrypted)"),
        "{}",
        ended.all()
    );
    assert!(!ended.all().contains("{{ nope_xyz }}"), "{}", ended.all());
    let ended = sandbox.run(&["run", "site.yml", "--ask-vault-pass"]);
    assert!(
        ended
            .err
            .contains("EOFError (ctrl-d) on prompt for (default)"),
        "{}",
        ended.all()
    );
}

/// A file of variables that `ansible-vault` encrypted.
const SECRET: &str = "$ANSIBLE_VAULT;1.1;AES256\n35623637333636653931336433316665643139636331393735356232626433313465633863373763\n6537663464613565306431373865643030323238366334330a366133386133663834623461653764\n36613062366430633632323762373065656132383061313463366335363334666638323235303563\n6365323837383430370a316438303136336265333364613763653633613630333438376231666464\n32326361326661356537326232633335373665323439363030316638623163353961\n";
