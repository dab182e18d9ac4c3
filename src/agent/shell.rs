//! Hosts where the agent can't run: the same modules run here, on a machine of shell commands.

use std::io::{Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::elevate::{Method, PATIENCE};
use super::handler;
use super::message::{Become, Request};
use crate::system::{Ended, Overlay, Session, Shell, System};

/// A host with a shell that serves.
pub(super) struct ShellHost {
    session: Rc<Session>,
    shell: Shell,
    /// Whose shell serves; the login user's own where absent.
    user: Option<Become>,
    /// One view per user, as each agent has its own.
    views: Vec<(Option<Become>, Overlay)>,
    counted: u64,
}

impl ShellHost {
    /// Makes the shell at the other end of two streams serve.
    ///
    /// # Errors
    /// What the host lacks, or why it can't be reached.
    pub(super) fn start(
        input: impl Write + 'static,
        output: impl Read + Send + 'static,
    ) -> Result<ShellHost, String> {
        let session = Rc::new(Session::start(input, output)?);
        Ok(ShellHost {
            shell: Shell::new(session.clone()),
            session,
            user: None,
            views: Vec::new(),
            counted: 0,
        })
    }

    /// Runs a request.
    ///
    /// # Errors
    /// Why the host is lost.
    pub(super) fn run(&mut self, request: &Request) -> Result<Vec<serde_json::Value>, String> {
        self.shell.begin(request.check);
        if let Err(message) = self.become_user(request)? {
            let one = serde_json::json!({"failed": true, "changed": false, "msg": message});
            return Ok(vec![one; request.items.len()]);
        }
        let session = self.session.clone();
        let limit = move |limit: Duration| -> Box<dyn FnOnce() -> bool> {
            let end = Instant::now() + limit;
            session.stop_at(Some(end));
            let session = session.clone();
            Box::new(move || {
                session.stop_at(None);
                end <= Instant::now()
            })
        };
        let results = handler::run(request, self.machine(request), &limit);
        match self.session.lost() {
            Some(why) => Err(why),
            None => Ok(results),
        }
    }

    /// Says whether another connection is needed.
    pub(super) fn is_lost(&self) -> bool {
        self.session.lost().is_some()
    }

    /// Returns how many exchanges there were since this was asked last.
    pub(super) fn exchanges(&mut self) -> u64 {
        let all = self.session.exchanges();
        all - std::mem::replace(&mut self.counted, all)
    }

    fn machine(&mut self, request: &Request) -> &dyn System {
        if !request.check {
            return &self.shell;
        }
        let known = self.views.iter().position(|(user, _)| *user == self.user);
        let index = known.unwrap_or_else(|| {
            let view = Overlay::new(Box::new(self.shell.clone()));
            self.views.push((self.user.clone(), view));
            self.views.len() - 1
        });
        &self.views[index].1
    }

    /// Makes the shell of the user serve that the request asks for; the inner error is a refusal.
    fn become_user(&mut self, request: &Request) -> Result<Result<(), String>, String> {
        if self.user == request.r#become {
            return Ok(Ok(()));
        }
        if self.session.is_entered() {
            self.session.leave().map_err(|error| error.to_string())?;
        }
        self.user = None;
        let Some(wanted) = &request.r#become else {
            return Ok(Ok(()));
        };
        let password = request.become_password.as_ref();
        let method = match Method::new(wanted, password.is_some()) {
            Ok(method) => method,
            Err(message) => return Ok(Err(message)),
        };
        let locale = self.shell.env("LC_ALL");
        let entered = self.session.enter(
            |shell| {
                let own = method.argv(locale.as_deref(), shell);
                ["env", "LC_ALL=C"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(own)
                    .collect()
            },
            password.map(|password| password.expose().as_bytes()),
            &|said, ended| match ended {
                Ended::No => method.refusal(said),
                Ended::Yes => Some(method.refusal(said).unwrap_or_else(|| method.ended(said))),
                Ended::Late => Some(method.late(said)),
            },
            PATIENCE,
        );
        if let Err(message) = entered {
            return Ok(Err(message));
        }
        self.user = Some(wanted.clone());
        Ok(Ok(()))
    }
}
