//! A shell in a terminal, with the completions where the installer puts them.
//!
//! `show` is completed as s3seal is, and prints the words that it was started with, so that quotes count too.

use std::fs;
use std::path::Path;

use crate::screen::Terminal;
use crate::support::{Bench, at_once};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

const BASH: &str = r#"
source "$COMPLETIONS/s3seal.bash"
complete -F _s3seal show
n=0
show() { n=$((n + 1)); printf '<%s>' "$@"; printf '(end %s)\n' "$n"; }
PS1='ready $n> '
"#;

const ZSH: &str = r#"
fpath=("$COMPLETIONS" $fpath)
autoload -Uz compinit
compinit -u -D
compdef _s3seal show
n=0
show() { n=$((n + 1)); printf '<%s>' "$@"; printf '(end %s)\n' "$n"; }
setopt prompt_subst
PS1='ready $n> '
"#;

const FISH: &str = r#"
source "$COMPLETIONS/s3seal.fish"
complete --command show --no-files --keep-order --arguments "(__s3seal_complete)"
complete --command show --condition __s3seal_has_variable --force-files
set -g n 0
function show; set -g n (math $n + 1); printf '<%s>' $argv; printf '(end %s)\n' $n; end
function fish_prompt; printf 'ready %s> ' $n; end
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
"#;

/// A shell at its prompt.
pub struct Session {
    terminal: Terminal,
    done: usize,
}

impl Session {
    /// Starts a shell in the directory of the bench's files.
    pub fn start(bench: &Bench, shell: Shell, variables: &[(&str, &str)]) -> Self {
        let home = bench.home();
        let write = |name: &str, text: &str| {
            let path = home.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
        for name in ["s3seal.bash", "_s3seal", "s3seal.fish"] {
            write(&format!("completions/{name}"), &fs::read_to_string(kept.join(name)).unwrap());
        }
        write(".bashrc", BASH);
        write(".zshrc", ZSH);
        write(".config/fish/config.fish", FISH);
        // Where there is none, fish makes completions of all man pages.
        fs::create_dir_all(home.join(".local/share/fish/generated_completions")).unwrap();
        let (program, arguments) = match shell {
            Shell::Bash => ("bash", &["-i"][..]),
            Shell::Zsh => ("zsh", &["-d", "-i"][..]),
            Shell::Fish => ("fish", &["-i"][..]),
        };
        let folder = Path::new(env!("CARGO_BIN_EXE_s3seal")).parent().unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
        let completions = home.join("completions");
        let mut all = vec![
            ("PATH", path.as_str()),
            ("COMPLETIONS", completions.to_str().unwrap()),
            ("INPUTRC", "/dev/null"),
            ("LANG", "C.UTF-8"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            // A test does not depend on how fast the machine is.
            ("S3SEAL_COMPLETE_REMOTE", "50"),
        ];
        all.extend(variables);
        let session = Self { terminal: Terminal::of(bench, 160, program, arguments, &all), done: 0 };
        session.terminal.wait_for("ready 0>");
        session
    }

    /// Types what follows `show`, Tab wherever `\t` stands, then Enter; returns the words that came of it.
    #[track_caller]
    pub fn words(&mut self, typed: &str) -> Vec<String> {
        self.terminal.press(&format!("show {typed}\r"));
        self.done += 1;
        let end = format!("(end {})", self.done);
        self.terminal.wait_for(&format!("ready {}>", self.done));
        let screen = self.terminal.wait_for(&end);
        let line = screen.lines().find_map(|line| line.strip_suffix(&end));
        let line = line.unwrap_or_else(|| panic!("the words take more than a line:\n{screen}"));
        let words = line.trim_start_matches('<').trim_end_matches('>').split("><");
        words.map(str::to_owned).collect()
    }

    /// Types what follows `show` and presses Tab until a list shows a text; returns the screen, and leaves the line.
    #[track_caller]
    pub fn list(&mut self, typed: &str, text: &str) -> String {
        self.terminal.press(&format!("show {typed}\t\t"));
        let screen = self.terminal.wait_for(text);
        self.terminal.press("\x03");
        screen
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.terminal.screen()
    }
}

/// Does the same in each shell, with a bench of its own.
pub fn in_each_shell(variables: &[(&str, &str)], act: impl Fn(&Bench, &mut Session, Shell) + Sync) {
    at_once(&[Shell::Bash, Shell::Zsh, Shell::Fish], |shell| {
        let bench = Bench::new();
        act(&bench, &mut Session::start(&bench, *shell, variables), *shell);
    });
}
