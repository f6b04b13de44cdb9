//! A copy of the command line's definition without hidden parts, for completions and man pages.

use clap::Command;

/// Copies a command without what is hidden, which completions and man pages would show.
pub(super) fn unhidden(command: &Command) -> Command {
    // clap keeps names as static text; this runs once and the program ends.
    let name: &'static str = Box::leak(command.get_name().to_owned().into_boxed_str());
    let mut copy = Command::new(name)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(unhidden));
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        copy = copy.long_about(about.clone());
    }
    if let Some(examples) = command.get_after_help() {
        copy = copy.after_help(examples.clone());
    }
    if let Some(details) = command.get_after_long_help() {
        copy = copy.after_long_help(details.clone());
    }
    if let Some(usage) = command.get_overridden_usage() {
        copy = copy.override_usage(usage.clone());
    }
    if command.get_version().is_some() {
        copy = copy.version(env!("CARGO_PKG_VERSION"));
    }
    copy
}
