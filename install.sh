#!/bin/sh
# Builds s3seal and installs it with its man pages and shell completions.
# Run with --help for the options; run it again to update, with --uninstall to
# take everything away again.
set -eu

usage() {
    cat <<'END'
Usage: ./install.sh [--prefix DIR] [--demo | --uninstall] [--from DIR]

Builds s3seal from this checkout and installs the program, its man pages and
its completions for bash, zsh and fish.

  --prefix DIR   install under DIR instead of ~/.local
  --demo         then show on this machine, without an AWS account, how files
                 are encrypted in every mode and come back
  --uninstall    remove exactly what was installed under the prefix
  --from DIR     take programs already built from DIR instead of building,
                 for example --from target/debug
  -h, --help     show this help
END
}

say() { printf '%s\n' "$*"; }

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '  hint: %s\n' "$2" >&2
    exit "${3:-1}"
}

# What the command line said.
prefix='' from='' demo='' uninstall=''

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix) [ $# -ge 2 ] || fail "--prefix needs a directory" "see ./install.sh --help" 2
                prefix=$2; shift ;;
            --prefix=*) prefix=${1#*=} ;;
            --from) [ $# -ge 2 ] || fail "--from needs a directory" "see ./install.sh --help" 2
                from=$2; shift ;;
            --from=*) from=${1#*=} ;;
            --demo) demo=yes ;;
            --uninstall) uninstall=yes ;;
            -h | --help) usage; exit 0 ;;
            *) fail "unknown argument: $1" "see ./install.sh --help" 2 ;;
        esac
        shift
    done
    [ -z "$demo" ] || [ -z "$uninstall" ] || fail "--demo and --uninstall do not go together" "" 2
}

# An unset HOME is looked up, because cron and containers leave it out.
find_home() {
    if [ -z "${HOME:-}" ]; then
        HOME=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)
        export HOME
    fi
    if [ -z "$prefix" ]; then
        [ -n "$HOME" ] || fail "there is no home directory to install under" "name one with --prefix DIR"
        prefix=$HOME/.local
    fi
    case $prefix in
        /*) ;;
        *) prefix=$PWD/$prefix ;;
    esac
}

# Where cargo is found through PATH but HOME is not its owner's, the toolchain
# and the downloaded crates are those beside it.
find_cargo() {
    command -v cargo >/dev/null 2>&1 || fail "cargo is not on PATH; building s3seal needs Rust" \
        "install Rust (rustup or your distribution), or use --from with a built program"
    cargo_home=$(dirname "$(dirname "$(command -v cargo)")")
    if [ -z "${CARGO_HOME:-}" ] && [ ! -d "${HOME:-}/.cargo" ] && [ -d "$cargo_home/registry" ]; then
        CARGO_HOME=$cargo_home
        export CARGO_HOME
    fi
    cargo --version >/dev/null 2>&1 && return
    if [ -z "${RUSTUP_HOME:-}" ] && [ -d "$(dirname "$cargo_home")/.rustup" ]; then
        RUSTUP_HOME=$(dirname "$cargo_home")/.rustup
        export RUSTUP_HOME
    fi
    cargo --version >/dev/null || fail "$(command -v cargo) does not run" "is a Rust toolchain installed?"
}

# Sets $built to the folder with the programs.
build() {
    if [ -n "$from" ]; then
        built=$(cd "$from" 2>/dev/null && pwd) || fail "no such directory: $from"
        [ -x "$built/s3seal" ] || fail "there is no s3seal in $from" "cargo build"
        return
    fi
    find_cargo
    say "Building s3seal; the first time this takes some minutes."
    (
        cd "$checkout"
        if [ -n "$demo" ]; then
            cargo build --release --locked --workspace --bins
        else
            cargo build --release --locked --bin s3seal
        fi
    )
    built=${CARGO_TARGET_DIR:-target}/release
    case $built in
        /*) ;;
        *) built=$checkout/$built ;;
    esac
}

# What is installed: one "mode target source" a line, the target under the prefix.
listing() {
    say "755 bin/s3seal $built/s3seal"
    for page in "$checkout"/man/*.[17]; do
        say "644 share/man/man${page##*.}/${page##*/} $page"
    done
    say "644 share/bash-completion/completions/s3seal $checkout/completions/s3seal.bash"
    say "644 share/zsh/site-functions/_s3seal $checkout/completions/_s3seal"
    say "644 share/fish/vendor_completions.d/s3seal.fish $checkout/completions/s3seal.fish"
}

# The record of what was installed: directories made ("d") and files ("f"), in order.
record=share/s3seal/installed

make_directory() {
    [ -d "$prefix/$1" ] && return
    case $1 in
        */*) make_directory "${1%/*}" ;;
    esac
    mkdir "$prefix/$1"
    say "d $1" >>"$prefix/.s3seal-installing"
}

# Written beside and renamed: a program that is running can be replaced, and an
# interrupted run leaves no half file.
place() {
    make_directory "${2%/*}"
    cp "$3" "$prefix/$2.new"
    chmod "$1" "$prefix/$2.new"
    mv -f "$prefix/$2.new" "$prefix/$2"
    say "f $2" >>"$prefix/.s3seal-installing"
}

install_all() {
    list=$(listing)
    while read -r _ _ source; do
        [ -f "$source" ] || fail "$source is missing" "is the checkout complete?"
    done <<END
$list
END
    if [ -d "$prefix" ]; then
        : >"$prefix/.s3seal-installing"
    else
        mkdir -p "$prefix"
        say "d ." >"$prefix/.s3seal-installing"
    fi
    # Directories made by an earlier run stay ours to remove.
    if [ -f "$prefix/$record" ]; then
        grep '^d ' "$prefix/$record" >>"$prefix/.s3seal-installing" || true
    fi
    while read -r mode target source; do
        place "$mode" "$target" "$source"
    done <<END
$list
END
    make_directory "${record%/*}"
    remove_outdated
    mv -f "$prefix/.s3seal-installing" "$prefix/$record"
    say "Installed $prefix/bin/s3seal, its man pages and completions."
    case :$PATH: in
        *:"$prefix/bin":*) ;;
        *) say "$prefix/bin is not on PATH; add it:  export PATH=\"$prefix/bin:\$PATH\"" ;;
    esac
}

# Files of an earlier version that this one no longer has.
remove_outdated() {
    [ -f "$prefix/$record" ] || return 0
    while read -r kind path; do
        if [ "$kind" = f ] && ! grep -qxF "f $path" "$prefix/.s3seal-installing"; then
            rm -f "$prefix/$path"
        fi
    done <"$prefix/$record"
}

uninstall_all() {
    [ -f "$prefix/$record" ] || fail "nothing is installed under $prefix" "name the prefix that was used: --prefix DIR"
    listed=$(cat "$prefix/$record")
    directories=''
    while read -r kind path; do
        case $path in
            /* | ../* | */../* | */..) fail "$prefix/$record names a path outside the prefix: $path" ;;
        esac
        if [ "$kind" = f ]; then
            rm -f "$prefix/$path"
        else
            directories="$path
$directories"
        fi
    done <<END
$listed
END
    rm -f "$prefix/$record"
    # The last made first; one that holds something of others stays.
    while read -r path; do
        case $path in
            '') ;;
            .) rmdir "$prefix" 2>/dev/null || true ;;
            *) rmdir "$prefix/$path" 2>/dev/null || true ;;
        esac
    done <<END
$directories
END
    say "Removed what was installed under $prefix."
}

checkout=$(cd "$(dirname "$0")" && pwd)
read_arguments "$@"
find_home
if [ -n "$uninstall" ]; then
    uninstall_all
    exit 0
fi
build
install_all
if [ -n "$demo" ]; then
    S3SEAL=$prefix/bin/s3seal SANDBOX=$built/s3seal-sandbox exec sh "$checkout/tests/sandbox/demo.sh"
fi
