//! Plays, blocks, tasks and roles as plain data.
//!
//! Inheritance is worked out by the parser: a task's [`Settings`] already contain what its
//! blocks, imports, role and play say. Nothing here is rendered; every [`Value`] is as written.

use std::path::PathBuf;
use std::rc::Rc;

use crate::diag::Span;
use crate::value::{Dict, Value};

/// One playbook file with everything that it imports statically, in order.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// The file, as given.
    pub path: PathBuf,
    /// The plays, those of imported playbooks in place.
    pub plays: Vec<Rc<Play>>,
}

/// A play.
#[derive(Clone, Debug)]
pub struct Play {
    /// The whole mapping.
    pub span: Span,
    /// The directory of the playbook file that holds it: `playbook_dir`.
    pub dir: PathBuf,
    /// Its name as written; the pattern stands in where there is none.
    pub name: Option<Value>,
    /// The host pattern: a string or a list of strings, perhaps templates.
    pub hosts: Value,
    /// What its tasks inherit (also part of every task's own settings).
    pub settings: Rc<Settings>,
    /// `gather_facts`, where written.
    pub gather_facts: Option<Value>,
    /// `gather_subset`, where written.
    pub gather_subset: Option<Value>,
    /// `gather_timeout`, where written.
    pub gather_timeout: Option<Value>,
    /// `vars`.
    pub vars: Dict,
    /// `vars_files`.
    pub vars_files: Vec<VarsFile>,
    /// `serial`: numbers or percentages, one per batch; the last repeats.
    pub serial: Vec<Value>,
    /// `strategy`, where written.
    pub strategy: Option<Value>,
    /// `order`, where written.
    pub order: Option<Value>,
    /// `max_fail_percentage`, where written.
    pub max_fail_percentage: Option<Value>,
    /// `force_handlers`, where written.
    pub force_handlers: Option<Value>,
    /// `pre_tasks`.
    pub pre_tasks: Vec<Item>,
    /// The roles' tasks, one [`Block`] with [`Block::role`] set per role, dependencies before.
    pub roles: Vec<Item>,
    /// `tasks`.
    pub tasks: Vec<Item>,
    /// `post_tasks`.
    pub post_tasks: Vec<Item>,
    /// All handlers: those of the roles in order, then the play's own.
    pub handlers: Vec<Item>,
    /// All roles that are used statically (`roles:` and `import_role`), dependencies before.
    pub role_list: Vec<Rc<Role>>,
}

/// An entry of `vars_files`.
#[derive(Clone, Debug)]
pub struct VarsFile {
    /// Where it is written.
    pub span: Span,
    /// A name, or a list of names of which the first that exists is meant.
    pub names: Value,
}

/// A task or a block.
#[derive(Clone, Debug)]
pub enum Item {
    /// A task, handler, or include.
    Task(Rc<Task>),
    /// A block, an imported file's tasks, or a role's tasks.
    Block(Rc<Block>),
}

/// Tasks that share settings and failure handling.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where it is written.
    pub span: Span,
    /// Its name.
    pub name: Option<Value>,
    /// The tasks.
    pub body: Vec<Item>,
    /// Runs where the body failed.
    pub rescue: Vec<Item>,
    /// Runs in any case.
    pub always: Vec<Item>,
    /// The role whose tasks these are, on the outermost block of a role only.
    pub role: Option<Rc<Role>>,
}

/// What blocks, roles, imports and plays pass on to tasks. `None` is "not written anywhere".
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Tags, inherited ones included.
    pub tags: Vec<String>,
    /// Conditions, outermost first; all must hold.
    pub when: Vec<Value>,
    /// Variables of blocks, static imports and the task itself, outermost first (level 16, 17).
    pub vars: Vec<Dict>,
    /// Variables of the includes and role uses that led here, outermost first (level 21).
    pub include_params: Vec<Dict>,
    /// `environment`, outermost first; later ones win.
    pub environment: Vec<Value>,
    /// `become`.
    pub r#become: Option<Value>,
    /// `become_user`.
    pub become_user: Option<Value>,
    /// `become_method`.
    pub become_method: Option<Value>,
    /// `become_flags`.
    pub become_flags: Option<Value>,
    /// `become_exe`.
    pub become_exe: Option<Value>,
    /// `connection`.
    pub connection: Option<Value>,
    /// `remote_user`.
    pub remote_user: Option<Value>,
    /// `port`.
    pub port: Option<Value>,
    /// `no_log`.
    pub no_log: Option<Value>,
    /// `run_once`.
    pub run_once: Option<Value>,
    /// `ignore_errors`.
    pub ignore_errors: Option<Value>,
    /// `ignore_unreachable`.
    pub ignore_unreachable: Option<Value>,
    /// `check_mode`.
    pub check_mode: Option<Value>,
    /// `diff`.
    pub diff: Option<Value>,
    /// `any_errors_fatal`.
    pub any_errors_fatal: Option<Value>,
    /// `delegate_to`.
    pub delegate_to: Option<Value>,
    /// `delegate_facts`.
    pub delegate_facts: Option<Value>,
    /// `throttle`.
    pub throttle: Option<Value>,
    /// `timeout`, seconds.
    pub timeout: Option<Value>,
    /// `module_defaults`, outermost first.
    pub module_defaults: Vec<Value>,
    /// `notify` of blocks and the task.
    pub notify: Vec<Value>,
    /// `collections`, nearest.
    pub collections: Vec<String>,
}

/// A task, a handler, or a dynamic include.
#[derive(Clone, Debug)]
pub struct Task {
    /// Unique in one run.
    pub id: u64,
    /// The whole mapping.
    pub span: Span,
    /// Its name as written.
    pub name: Option<Value>,
    /// What it does.
    pub action: Action,
    /// Effective settings: its own on top of what it inherits.
    pub settings: Settings,
    /// What it inherited; a dynamic include's tasks start from this.
    pub scope: Rc<Settings>,
    /// `loop` or `with_…`.
    pub r#loop: Option<Loop>,
    /// `loop_control`.
    pub loop_control: LoopControl,
    /// `register`.
    pub register: Option<String>,
    /// `changed_when`; empty where not written.
    pub changed_when: Vec<Value>,
    /// `failed_when`; empty where not written.
    pub failed_when: Vec<Value>,
    /// `until`; empty where not written.
    pub until: Vec<Value>,
    /// `retries`.
    pub retries: Option<Value>,
    /// `delay`, seconds.
    pub delay: Option<Value>,
    /// Topics that a handler listens to.
    pub listen: Vec<String>,
    /// Says that this is a handler.
    pub is_handler: bool,
    /// The role it stands in.
    pub role: Option<Rc<Role>>,
    /// The `action: X` came with an implicit meaning: facts gathering at the start of a play.
    pub implicit: bool,
}

/// The module or action of a task, with its arguments.
#[derive(Clone, Debug)]
pub struct Action {
    /// The name as written (`copy`, `ansible.builtin.copy`, `include_tasks`, …).
    pub name: String,
    /// The name's place.
    pub span: Span,
    /// The name in the tables: short name of a native module or action.
    pub resolved: String,
    /// Arguments; free-form text is under `_raw_params`. A template string in place of a mapping
    /// (`args: "{{ dict }}"`) is under `_variable_params`.
    pub args: Dict,
}

/// How a task repeats.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The lookup of `with_X`; `None` for `loop`.
    pub with: Option<String>,
    /// The list as written: a template, a list, or the lookup's terms.
    pub items: Value,
    /// Where it is written.
    pub span: Span,
}

/// `loop_control`.
#[derive(Clone, Debug, Default)]
pub struct LoopControl {
    /// Name of the item's variable; `item` where absent.
    pub loop_var: Option<Value>,
    /// Name of the index's variable.
    pub index_var: Option<Value>,
    /// What is shown in place of the item.
    pub label: Option<Value>,
    /// Seconds between items.
    pub pause: Option<Value>,
    /// Fills `ansible_loop`.
    pub extended: Option<Value>,
    /// With `extended`: leaves `allitems` out when false.
    pub extended_allitems: Option<Value>,
    /// Conditions that end the loop.
    pub break_when: Vec<Value>,
}

/// One use of a role: the same role with other parameters is another one.
#[derive(Clone, Debug)]
pub struct Role {
    /// The name as written, without a path: `role_name`.
    pub name: String,
    /// The collection, or empty: `ansible_collection_name`.
    pub collection: String,
    /// Its directory: `role_path`.
    pub path: PathBuf,
    /// `defaults/`.
    pub defaults: Dict,
    /// `vars/`.
    pub vars: Dict,
    /// Parameters of this use (level 20).
    pub params: Dict,
    /// Roles it depends on, in order.
    pub dependencies: Vec<Rc<Role>>,
    /// The roles that brought it here by `dependencies`, outermost first: `ansible_parent_role_names`.
    pub parents: Vec<Rc<Role>>,
    /// `allow_duplicates` of its metadata.
    pub allow_duplicates: bool,
    /// Its variables and defaults are seen by the rest of the play.
    pub public: bool,
    /// Equal for uses that count as the same: a role runs once per host and identity.
    pub identity: String,
}

impl Task {
    /// Returns the name shown to people, as written: the task's name, else the action's, with the
    /// role for one that includes a role.
    pub fn title(&self) -> std::borrow::Cow<'_, str> {
        match self.name.as_ref().and_then(Value::as_str) {
            Some(name) if !name.is_empty() => name.into(),
            _ if self.action.resolved == "include_role" => {
                let role = self
                    .action
                    .args
                    .get("name")
                    .or_else(|| self.action.args.get("role"));
                format!("{} : {}", self.action.name, role.unwrap_or(Value::None)).into()
            }
            _ => self.action.name.as_str().into(),
        }
    }
}
