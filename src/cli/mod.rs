//! The command line: one file a subcommand.

mod eval;
mod inventory;
mod list;
mod options;
mod plain;
mod plan;
mod render;
mod run;
mod session;
mod setup;
mod targets;
mod usage;
mod vault;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use session::Session;

/// Reads unmodified Ansible content and does what ansible-playbook does with it.
#[derive(Parser)]
#[command(
    name = "regrole",
    version,
    about,
    arg_required_else_help = true,
    infer_long_args = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs playbooks or roles on the hosts of an inventory.
    Run(options::RunArgs),
    /// Says what a run would change, without changing anything.
    Plan(options::PlanArgs),
    /// Does what ansible-playbook does, with its own flags.
    Playbook(options::RunArgs),
    /// Renders a template file for one host, or with given variables.
    Render(render::RenderArgs),
    /// Evaluates an expression for one host, or with given variables.
    Eval(eval::EvalArgs),
    /// Shows an inventory.
    Inventory(inventory::InventoryArgs),
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Runs the command line and returns the exit code.
///
/// Called by the name `ansible-playbook`, it takes that program's flags.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let called = args
        .first()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut args = args;
    match called.rsplit('/').next() {
        Some("ansible-playbook") => args.insert(1, "playbook".into()),
        Some("ansible-inventory") => args.insert(1, "inventory".into()),
        _ => {}
    }
    let is_playbook = args.get(1).is_some_and(|name| name == "playbook");
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, is_playbook),
    };
    if let Command::Playbook(args) = &cli.command
        && args.what.is_empty()
        && !args.version
    {
        return refuse_playbook(usage::NO_PLAYBOOK, None);
    }
    let session = Session::new();
    let done = match cli.command {
        Command::Run(args) | Command::Playbook(args) => run::run(&args, &session),
        Command::Plan(args) => plan::run(&args, &session),
        Command::Render(args) => render::run(&args, &session),
        Command::Eval(args) => eval::run(&args, &session),
        Command::Inventory(args) => inventory::run(&args, &session),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "regrole", &mut out);
            print(&String::from_utf8_lossy(&out));
            Ok(0)
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => ExitCode::from(session.fail(&error)),
    }
}

/// Tells what is wrong with a command line, or what it asks to be told, and returns the exit code.
fn refuse(error: &clap::Error, is_playbook: bool) -> ExitCode {
    let command = Cli::command();
    let message = command
        .find_subcommand("playbook")
        .filter(|_| is_playbook && error.use_stderr())
        .and_then(|playbook| usage::message(error, playbook));
    if let Some(message) = message {
        let near = match error.get(clap::error::ContextKind::SuggestedArg) {
            Some(clap::error::ContextValue::String(near)) => Some(near.clone()),
            _ => None,
        };
        return refuse_playbook(&message, near.as_deref());
    }
    // A reader that went away is not our failure.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Refuses a command line of `ansible-playbook` as that program does.
fn refuse_playbook(message: &str, near: Option<&str>) -> ExitCode {
    use std::io::Write;
    let mut err = std::io::stderr();
    let _ = writeln!(
        err,
        "usage: ansible-playbook [options] playbook [playbook ...]\nansible-playbook: error: {message}"
    );
    if let Some(near) = near {
        let _ = writeln!(err, "[HINT]: did you mean `{near}`?");
    }
    ExitCode::from(2)
}

/// Writes to standard output; a reader that went away is not our failure.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
