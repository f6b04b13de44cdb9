//! `--include` and `--exclude`: patterns whose order on the command line matters.
//!
//! clap's derive API keeps the values of each flag apart; this module merges them in order. `pattern` does the
//! matching.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::pattern::{Filter, FilterAction, Pattern};

/// The patterns, in the order given.
#[derive(Clone, Debug, Default)]
pub(crate) struct FilterArgs {
    patterns: Vec<(FilterAction, Pattern)>,
}

impl FilterArgs {
    pub(crate) fn filter(self) -> Filter {
        Filter::new(self.patterns)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

const FLAGS: [(&str, FilterAction, &str); 2] = [
    (
        "include",
        FilterAction::Include,
        "Only keys that match PATTERN (*, ?, […]); * matches / too; repeatable",
    ),
    (
        "exclude",
        FilterAction::Exclude,
        "Skip keys that match PATTERN; of all patterns, in the order given, the last match decides",
    ),
];

impl Args for FilterArgs {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.map(|(name, _, help)| {
            Arg::new(name)
                .long(name)
                .value_name("PATTERN")
                .help(help)
                .action(ArgAction::Append)
                .value_parser(clap::value_parser!(Pattern))
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for FilterArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut row = Vec::new();
        for (name, choice, _) in FLAGS {
            let values = matches.get_many::<Pattern>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            row.extend(places.zip(values).map(|(place, pattern)| (place, choice, pattern.clone())));
        }
        row.sort_by_key(|(place, ..)| *place);
        Ok(Self { patterns: row.into_iter().map(|(_, choice, pattern)| (choice, pattern)).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_on_the_command_line_is_kept() {
        let command = FilterArgs::augment_args(Command::new("x"));
        let matches = command
            .try_get_matches_from(["x", "--exclude", "*", "--include", "*.sql", "--exclude", "old/*"])
            .unwrap();
        let args = FilterArgs::from_arg_matches(&matches).unwrap();
        let choices: Vec<FilterAction> = args.patterns.iter().map(|(choice, _)| *choice).collect();
        assert_eq!(choices, [FilterAction::Exclude, FilterAction::Include, FilterAction::Exclude]);
        let filter = args.filter();
        assert!(filter.takes("a.sql") && !filter.takes("old/a.sql") && !filter.takes("a.txt"));
    }
}
