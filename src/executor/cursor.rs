//! Where a host stands in a play: block → rescue → always.
//!
//! A cursor is a stack of open blocks. It only says which task is next and what a failure does;
//! it runs nothing. All hosts of a batch share one [`Order`], which decides whose turn it is.
//!
//! **Source:** "Error handling in playbooks" and "Blocks" of Ansible's documentation; order of the
//! linear strategy as observed.

use std::collections::HashSet;
use std::rc::Rc;

use crate::playbook::{Block, Item, Role, Task};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Body,
    Rescue,
    Always,
}

#[derive(Clone, Debug)]
struct Frame {
    block: Rc<Block>,
    section: Section,
    next: usize,
    /// The body (or the rescue) failed and nothing has put that right yet.
    failed: bool,
}

/// What a failure of the current task leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// A rescue section takes over.
    Rescued {
        /// It was another rescue section that failed.
        from_rescue: bool,
    },
    /// Nothing catches it: the host leaves the play (its `always` sections run first).
    Failed,
}

/// One host's place in the tasks of a play.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    frames: Vec<Frame>,
    /// A failure that no rescue caught; only `always` sections are left to run.
    failed: bool,
}

/// The next step of a host.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Run this task.
    Task(Rc<Task>),
    /// A role's tasks are done for this host.
    RoleEnd(Rc<Role>),
    /// Nothing is left.
    End,
}

impl Cursor {
    /// Starts at the first of some items.
    pub(super) fn new(items: &[Item]) -> Cursor {
        let mut cursor = Cursor::default();
        cursor.enter(items);
        cursor
    }

    /// Opens a block made of items on top: they run before whatever was next.
    pub(super) fn enter(&mut self, items: &[Item]) {
        let Some(first) = items.first() else { return };
        let span = match first {
            Item::Task(task) => task.span,
            Item::Block(block) => block.span,
        };
        self.push(Rc::new(Block {
            span,
            name: None,
            body: items.to_vec(),
            rescue: Vec::new(),
            always: Vec::new(),
            role: None,
        }));
    }

    fn push(&mut self, block: Rc<Block>) {
        self.frames.push(Frame {
            block,
            section: Section::Body,
            next: 0,
            failed: false,
        });
    }

    /// Says whether a failure was not caught.
    pub(super) fn is_failed(&self) -> bool {
        self.failed
    }

    /// Forgets an uncaught failure (`meta: clear_host_errors`).
    pub(super) fn clear_failure(&mut self) {
        self.failed = false;
    }

    /// Leaves everything: the host has no further tasks.
    pub(super) fn finish(&mut self) {
        self.frames.clear();
    }

    /// Leaves the innermost role (`meta: end_role`).
    pub(super) fn leave_role(&mut self) {
        while let Some(frame) = self.frames.pop() {
            if frame.block.role.is_some() {
                break;
            }
        }
    }

    /// Returns the next step, opening blocks on the way. Calling it again without
    /// [`Cursor::advance`] returns the same task again.
    ///
    /// Roles in `done` are passed over.
    pub(super) fn peek(&mut self, done: &HashSet<String>) -> Step {
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return Step::End;
            };
            let items = match frame.section {
                Section::Body => &frame.block.body,
                Section::Rescue => &frame.block.rescue,
                Section::Always => &frame.block.always,
            };
            match items.get(frame.next) {
                Some(Item::Task(task)) => return Step::Task(task.clone()),
                Some(Item::Block(block)) => {
                    frame.next += 1;
                    let skip = block.role.as_ref().is_some_and(|role| {
                        !role.allow_duplicates && done.contains(&role.identity)
                    });
                    if !skip {
                        let block = block.clone();
                        self.push(block);
                    }
                }
                None => {
                    if frame.section != Section::Always {
                        frame.section = Section::Always;
                        frame.next = 0;
                        continue;
                    }
                    let ended = self.frames.pop();
                    if let Some(frame) = ended {
                        if frame.failed {
                            self.fail_frames();
                        } else if let Some(role) = frame.block.role.clone() {
                            return Step::RoleEnd(role);
                        }
                    }
                }
            }
        }
    }

    /// Moves past the current task.
    pub(super) fn advance(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.next += 1;
        }
    }

    /// Records that the current task failed, and moves to where that leads.
    pub(super) fn fail(&mut self) -> AfterFailure {
        let from_rescue = self
            .frames
            .last()
            .is_some_and(|frame| frame.section == Section::Rescue);
        self.fail_frames();
        if self.failed {
            AfterFailure::Failed
        } else {
            AfterFailure::Rescued { from_rescue }
        }
    }

    /// Unwinds to the nearest rescue or always section.
    fn fail_frames(&mut self) {
        while let Some(frame) = self.frames.last_mut() {
            match frame.section {
                Section::Body if !frame.block.rescue.is_empty() => {
                    frame.section = Section::Rescue;
                    frame.next = 0;
                    return;
                }
                Section::Body | Section::Rescue if !frame.block.always.is_empty() => {
                    frame.section = Section::Always;
                    frame.next = 0;
                    frame.failed = true;
                    if !self.is_caught_above() {
                        self.failed = true;
                    }
                    return;
                }
                _ => {
                    self.frames.pop();
                }
            }
        }
        self.failed = true;
    }

    /// Says whether a block around the innermost one can still catch a failure.
    fn is_caught_above(&self) -> bool {
        let depth = self.frames.len().saturating_sub(1);
        self.frames[..depth]
            .iter()
            .any(|frame| frame.section == Section::Body && !frame.block.rescue.is_empty())
    }
}

/// The order in which a batch's tasks take turns: as written, included tasks where they were
/// included.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    tasks: Vec<u64>,
    next: usize,
}

impl Order {
    /// Starts with the tasks of some items.
    pub(super) fn new(items: &[Item]) -> Order {
        let mut tasks = Vec::new();
        flatten(items, &mut tasks);
        Order { tasks, next: 0 }
    }

    /// Puts included tasks right behind the current one.
    pub(super) fn include(&mut self, items: &[Item]) {
        let mut tasks = Vec::new();
        flatten(items, &mut tasks);
        self.tasks.splice(self.next..self.next, tasks);
    }

    /// Returns the first task from here on that some host has next, wrapping around once.
    pub(super) fn turn(&mut self, wanted: &HashSet<u64>) -> Option<u64> {
        for _ in 0..2 {
            while let Some(task) = self.tasks.get(self.next).copied() {
                self.next += 1;
                if wanted.contains(&task) {
                    return Some(task);
                }
            }
            self.next = 0;
        }
        None
    }
}

fn flatten(items: &[Item], out: &mut Vec<u64>) {
    for item in items {
        match item {
            Item::Task(task) => out.push(task.id),
            Item::Block(block) => {
                flatten(&block.body, out);
                flatten(&block.rescue, out);
                flatten(&block.always, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{SourceId, Span};
    use crate::playbook::{Action, LoopControl, Settings};
    use crate::value::Dict;

    fn task(id: u64) -> Item {
        let span = Span::new(SourceId::from_index(0), 0, 0);
        Item::Task(Rc::new(Task {
            id,
            span,
            name: None,
            action: Action {
                name: "ping".into(),
                span,
                resolved: "ping".into(),
                args: Dict::new(),
            },
            settings: Settings::default(),
            scope: Rc::new(Settings::default()),
            r#loop: None,
            loop_control: LoopControl::default(),
            register: None,
            changed_when: vec![],
            failed_when: vec![],
            until: vec![],
            retries: None,
            delay: None,
            listen: vec![],
            is_handler: false,
            role: None,
            implicit: false,
        }))
    }

    fn block(body: Vec<Item>, rescue: Vec<Item>, always: Vec<Item>) -> Item {
        let span = Span::new(SourceId::from_index(0), 0, 0);
        Item::Block(Rc::new(Block {
            span,
            name: None,
            body,
            rescue,
            always,
            role: None,
        }))
    }

    /// Walks the items; tasks in `failing` fail. Returns the ids that ran and the end state.
    fn walk(items: &[Item], failing: &[u64]) -> (Vec<u64>, bool) {
        let mut cursor = Cursor::new(items);
        let mut ran = vec![];
        while let Step::Task(task) = cursor.peek(&HashSet::new()) {
            ran.push(task.id);
            if failing.contains(&task.id) {
                cursor.fail();
            } else {
                cursor.advance();
            }
        }
        (ran, cursor.is_failed())
    }

    #[test]
    fn rescue_runs_once_per_failed_host_and_the_play_goes_on() {
        let items = [
            block(vec![task(1), task(2)], vec![task(3)], vec![task(4)]),
            task(5),
        ];
        assert_eq!(walk(&items, &[1]), (vec![1, 3, 4, 5], false));
        assert_eq!(walk(&items, &[]), (vec![1, 2, 4, 5], false));
    }

    #[test]
    fn a_failed_rescue_runs_always_and_then_fails_the_host() {
        let items = [block(vec![task(1)], vec![task(2)], vec![task(3)]), task(4)];
        assert_eq!(walk(&items, &[1, 2]), (vec![1, 2, 3], true));
    }

    #[test]
    fn an_outer_rescue_catches_what_an_inner_block_lets_through() {
        let inner = block(vec![task(1)], vec![], vec![task(2)]);
        let items = [block(vec![inner, task(3)], vec![task(4)], vec![]), task(5)];
        assert_eq!(walk(&items, &[1]), (vec![1, 2, 4, 5], false));
    }

    #[test]
    fn a_failure_in_always_fails_the_host() {
        let items = [
            block(vec![task(1)], vec![], vec![task(2), task(3)]),
            task(4),
        ];
        assert_eq!(walk(&items, &[2]), (vec![1, 2], true));
    }

    #[test]
    fn turns_follow_the_written_order_across_hosts_in_different_sections() {
        let items = [
            block(vec![task(1), task(2)], vec![task(3)], vec![task(4)]),
            task(5),
        ];
        let mut order = Order::new(&items);
        let wanted = |ids: &[u64]| ids.iter().copied().collect::<HashSet<u64>>();
        assert_eq!(order.turn(&wanted(&[1])), Some(1));
        assert_eq!(order.turn(&wanted(&[2, 3])), Some(2));
        assert_eq!(order.turn(&wanted(&[3, 4])), Some(3));
        assert_eq!(order.turn(&wanted(&[4])), Some(4));
        order.include(&[task(9)]);
        assert_eq!(order.turn(&wanted(&[9, 5])), Some(9));
    }
}
