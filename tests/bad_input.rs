//! Bad input: each gives a place, a reason, what to do, the right exit code; nothing is half-written.

use crate::support::sandbox::{Ended, Sandbox};

const HEAD: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n";

/// Asserts the exit code and that every text was printed; no panic may ever show.
fn says(ended: &Ended, code: i32, texts: &[&str]) {
    let all = ended.all();
    assert!(!all.contains("panicked"), "{all}");
    for text in texts {
        assert!(all.contains(text), "`{text}` is not in:\n{all}");
    }
    assert_eq!(ended.code, code, "{all}");
}

fn tasks(text: &str) -> String {
    format!("{HEAD}{text}")
}

#[test]
fn malformed_yaml_names_the_line() {
    let ended = Sandbox::new().play(&tasks("    - debug: {msg: 'x'\n    - debug:\n"));
    says(&ended, 4, &["site.yml:"]);
}

#[test]
fn a_tab_in_yaml_is_called_one() {
    let ended = Sandbox::new().play(&tasks("    - debug:\n\tmsg: x\n"));
    says(&ended, 4, &["site.yml:5:1", "tab"]);
}

#[test]
fn an_unknown_task_keyword_gets_a_suggestion() {
    let ended = Sandbox::new().play(&tasks("    - debug: msg=x\n      whne: true\n"));
    says(
        &ended,
        4,
        &[
            "site.yml:4:7",
            "conflicting action statements: debug, whne",
            "when",
        ],
    );
}

#[test]
fn an_unknown_module_gets_a_suggestion() {
    let ended = Sandbox::new().play(&tasks("    - tempalte: {src: a, dest: b}\n"));
    says(
        &ended,
        4,
        &[
            "site.yml:4:7",
            "couldn't resolve module/action 'tempalte'",
            "template",
        ],
    );
}

#[test]
fn an_unknown_filter_gets_a_suggestion() {
    let ended = Sandbox::new().play(&tasks("    - debug: {msg: \"{{ 'a' | uper }}\"}\n"));
    says(&ended, 2, &["uper", "upper"]);
}

#[test]
fn an_undefined_variable_in_a_template_is_placed_in_the_template_with_its_includes() {
    let sandbox = Sandbox::new();
    sandbox.write("templates/a.j2", "first\n{% include 'b.j2' %}\n");
    sandbox.write("templates/b.j2", "second\n  {{ registry_prot }}\n");
    let ended = sandbox.play(
        "- hosts: all\n  gather_facts: false\n  vars: {registry_port: 1}\n  tasks:\n    - template: {src: a.j2, dest: out}\n",
    );
    says(
        &ended,
        2,
        &[
            "'registry_prot' is undefined",
            "b.j2:2:6",
            "a.j2:2",
            "registry_port",
        ],
    );
    assert!(!sandbox.path("out").exists());
}

#[test]
fn a_recursive_variable_shows_its_cycle() {
    let ended = Sandbox::new().play(
        "- hosts: all\n  gather_facts: false\n  vars: {a: '{{ b }}', b: '{{ a }}'}\n  tasks:\n    - debug: {msg: '{{ a }}'}\n",
    );
    says(&ended, 2, &["ecursive", "a"]);
}

#[test]
fn a_template_syntax_error_is_placed_in_the_template() {
    let sandbox = Sandbox::new();
    sandbox.write("templates/a.j2", "x\n{% if %}\n");
    let ended = sandbox.play(&tasks("    - template: {src: a.j2, dest: out}\n"));
    says(&ended, 2, &["a.j2:2"]);
    assert!(!sandbox.path("out").exists());
}

#[test]
fn a_missing_role_lists_where_it_was_looked_for() {
    let ended = Sandbox::new().play("- hosts: all\n  roles: [nope]\n");
    says(&ended, 1, &["the role 'nope' was not found", "site.yml:2"]);
}

#[test]
fn a_missing_template_lists_where_it_was_looked_for() {
    let ended = Sandbox::new().play(&tasks("    - template: {src: nope.j2, dest: out}\n"));
    says(&ended, 2, &["nope.j2"]);
}

#[test]
fn a_missing_inventory_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("site.yml", &tasks("    - ping:\n"));
    let ended = sandbox.run(&["run", "-i", "nowhere.ini", "site.yml"]);
    assert!(ended.all().contains("nowhere.ini"), "{}", ended.all());
}

#[test]
fn a_pattern_that_matches_nothing_is_said() {
    let ended =
        Sandbox::new().play("- hosts: nobody\n  gather_facts: false\n  tasks: [{ping: }]\n");
    says(
        &ended,
        0,
        &[
            "Could not match supplied host pattern, ignoring: nobody",
            "no hosts matched",
        ],
    );
}

#[test]
fn a_limit_that_matches_nothing_ends_the_run() {
    let sandbox = Sandbox::new();
    sandbox.write("site.yml", &tasks("    - ping:\n"));
    let ended = sandbox.run(&["run", "-i", "inventory.ini", "-l", "nobody", "site.yml"]);
    says(
        &ended,
        1,
        &["Specified inventory, host pattern and/or --limit leaves us with no hosts to target."],
    );
}

#[test]
fn a_wrong_argument_type_is_refused_by_the_module() {
    let ended = Sandbox::new().play(&tasks(
        "    - file: {path: out, state: touch, recurse: maybe}\n",
    ));
    says(&ended, 2, &["recurse", "bool"]);
}

#[test]
fn an_unsupported_argument_is_refused_by_the_module() {
    let ended = Sandbox::new().play(&tasks("    - file: {path: out, sate: touch}\n"));
    says(&ended, 2, &["Unsupported parameters for", "sate"]);
}

#[test]
fn a_destination_that_is_a_directory_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("dir/x", "");
    let ended = sandbox.play(&tasks("    - lineinfile: {path: dir, line: a}\n"));
    says(&ended, 2, &["is a directory"]);
}

#[test]
fn kubectl_that_is_missing_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "m.yml",
        "kind: Namespace\napiVersion: v1\nmetadata: {name: a}\n",
    );
    let ended = sandbox.play(&tasks(
        "    - kube: {name: a, kubectl: /nowhere/kubectl, filename: m.yml, state: latest}\n",
    ));
    says(&ended, 2, &["/nowhere/kubectl"]);
}

#[test]
fn a_variable_file_that_cannot_be_read_is_placed_before_anything_runs() {
    let sandbox = Sandbox::new();
    sandbox.write("group_vars/all.yml", "a: [1\nb: 2\n");
    let ended = sandbox.play(&tasks("    - command: touch ran\n"));
    says(&ended, 4, &["group_vars/all.yml:2:"]);
    assert!(!sandbox.path("ran").exists());
}
