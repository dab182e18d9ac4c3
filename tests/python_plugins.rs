//! Plugins that are written in Python where something is wrong with them or with Python: the error
//! names the plugin's file and what to do, and nothing hangs or stays behind.

use crate::support::sandbox::{Ended, Sandbox};

const FILTER: &str = "class FilterModule:\n    def filters(self):\n        return {'own': lambda value: value * 2}\n";
const PLAY: &str =
    "- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: {msg: \"{{ 'ab' | own }}\"}\n";

/// Runs the play with a filter of this text; `environment` is set besides.
fn with_filter(filter: &str, environment: &[(&str, &str)]) -> Ended {
    let sandbox = Sandbox::new();
    sandbox.write("filter_plugins/mine.py", filter);
    sandbox.write("site.yml", PLAY);
    let mut command = sandbox.command(&["playbook", "-i", "h,", "-c", "local", "site.yml"]);
    command.envs(environment.iter().copied());
    Ended::of(command.output().expect("the program runs"))
}

fn says(ended: &Ended, code: i32, texts: &[&str]) {
    let all = ended.all();
    assert!(!all.contains("panicked"), "{all}");
    for text in texts {
        assert!(all.contains(text), "`{text}` is not in:\n{all}");
    }
    assert_eq!(ended.code, code, "{all}");
}

#[test]
fn a_filter_beside_the_playbook_is_run_by_a_python_without_ansible() {
    says(&with_filter(FILTER, &[]), 0, &["\"msg\": \"abab\""]);
}

#[test]
fn without_a_python_the_error_names_the_file_of_the_plugin() {
    let ended = with_filter(FILTER, &[("PATH", "/nowhere")]);
    says(
        &ended,
        2,
        &[
            "filter_plugins/mine.py",
            "no Python was found",
            "install python3",
        ],
    );
}

#[test]
fn a_python_that_is_none_is_named() {
    let ended = with_filter(FILTER, &[("REGROLE_PYTHON", "/nowhere/python")]);
    says(&ended, 2, &["filter_plugins/mine.py", "/nowhere/python"]);
}

#[test]
fn a_plugin_that_needs_ansible_says_so_where_it_is_not_installed() {
    let filter = format!("from ansible_of_nobody.errors import AnsibleError\n{FILTER}");
    let ended = with_filter(&filter, &[("REGROLE_PYTHON", "/usr/bin/python3")]);
    says(
        &ended,
        2,
        &[
            "the filter plugin 'own' of ",
            "filter_plugins/mine.py can't be loaded: No module named 'ansible_of_nobody'",
            "install ansible-core for /usr/bin/python3",
        ],
    );
}

#[test]
fn a_plugin_that_does_not_return_is_given_up() {
    let filter = FILTER.replace("value * 2", "__import__('time').sleep(600)");
    let ended = with_filter(&filter, &[("REGROLE_PYTHON_TIMEOUT", "2")]);
    says(
        &ended,
        2,
        &["gave no answer within 2 seconds", "REGROLE_PYTHON_TIMEOUT"],
    );
}

#[test]
fn a_plugin_that_ends_python_is_said_to_have() {
    let filter = FILTER.replace("value * 2", "__import__('os')._exit(3)");
    says(&with_filter(&filter, &[]), 2, &["ended before it answered"]);
}

#[test]
fn what_a_plugin_prints_does_not_disturb_the_run() {
    let filter = FILTER.replace("value * 2", "print('{\\\"ok\\\": 1}') or value");
    says(&with_filter(&filter, &[]), 0, &["\"msg\": \"ab\""]);
}

#[test]
fn an_endless_result_is_refused() {
    let filter = FILTER.replace("value * 2", "(lambda l: l.append(l) or l)([])");
    says(&with_filter(&filter, &[]), 2, &["nested too deeply"]);
}

#[test]
fn an_unknown_filter_starts_no_python_where_there_are_no_plugins() {
    let sandbox = Sandbox::new();
    sandbox.write("site.yml", PLAY);
    let mut command = sandbox.command(&["playbook", "-i", "h,", "-c", "local", "site.yml"]);
    command.env("REGROLE_PYTHON", "/nowhere/python");
    let ended = Ended::of(command.output().expect("the program runs"));
    says(&ended, 2, &["No filter named 'own'."]);
    assert!(!ended.all().contains("/nowhere"), "{}", ended.all());
}
