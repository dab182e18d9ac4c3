//! `render`: a template file for one host, or with given variables.

use std::path::Path;
use std::rc::Rc;

use clap::Args;

use super::session::Session;
use super::setup;
use super::vault::VaultArgs;
use crate::diag::Result;
use crate::executor::Options;
use crate::template::{FileOptions, Templar};
use crate::vars::View;

/// Flags of `render`.
#[derive(Args)]
pub(super) struct RenderArgs {
    /// The template.
    file: String,
    #[command(flatten)]
    with: WithVars,
}

/// Where variables come from.
#[derive(Args)]
pub(super) struct WithVars {
    /// Inventory.
    #[arg(short = 'i', long = "inventory")]
    pub(super) inventory: Vec<String>,
    /// The host whose variables are used.
    #[arg(long, default_value = "localhost")]
    pub(super) host: String,
    /// A YAML or JSON file of variables.
    #[arg(long)]
    pub(super) vars: Vec<String>,
    /// Variables: `key=value`, YAML or JSON, or `@file`.
    #[arg(short = 'e', long)]
    pub(super) extra_vars: Vec<String>,
    /// The compatibility level: 2.9, 2.18 or 2.19.
    #[arg(long)]
    pub(super) compat: Option<String>,
    #[command(flatten)]
    pub(super) vault: VaultArgs,
}

impl WithVars {
    /// Makes a templar of the host's variables.
    pub(super) fn templar(&self, session: &Session) -> Result<(Templar, Vec<std::path::PathBuf>)> {
        let sources = &session.sources;
        let base = std::env::current_dir().unwrap_or_default();
        let settings = session.configure(self.compat.as_deref(), &base, 0)?;
        let keyring = session.unlock(&self.vault, &settings)?;
        let extra = setup::extra_vars(sources, &self.extra_vars, settings.1.level)?;
        for file in &self.vars {
            for (key, value) in setup::vars_file(sources, file)?.to_vec() {
                extra.set_key(key, value);
            }
        }
        let options = Options::default();
        let setup = setup::setup(
            session,
            &options,
            settings,
            keyring,
            &self.inventory,
            extra,
            &base,
        )?;
        let view = Rc::new(View::new(&setup.store, &self.host, None, None));
        Ok((
            Templar::new(setup.store.run_names().templates.clone(), view),
            vec![base],
        ))
    }
}

/// Renders a template file to standard output.
///
/// # Errors
/// What reading or rendering raises.
pub(super) fn run(args: &RenderArgs, session: &Session) -> Result<u8> {
    let (templar, search) = args.with.templar(session)?;
    let options = FileOptions {
        trim_blocks: true,
        ..FileOptions::default()
    };
    let text = templar.render_file(Path::new(&args.file), &search, &options)?;
    super::print(&text);
    Ok(0)
}
