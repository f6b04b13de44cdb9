#!/bin/sh
# Installs s3seal with its man pages and shell completions: built from this
# checkout, or out of a release. Run with --help for the options; run it again to update, with --uninstall to
# take everything away again.
set -eu

usage() {
    cat <<'END'
Usage: ./install.sh [--prefix DIR] [--demo | --uninstall] [--from RELEASE | DIR]

Installs s3seal, its man pages and its completions for bash, zsh and fish. In a
checkout it builds the program, which needs Rust; in an unpacked release it
takes the program that is there.

  --prefix DIR   install under DIR instead of ~/.local
  --demo         then show on this machine, without an AWS account, how files
                 are encrypted in every mode and come back
  --uninstall    remove exactly what was installed under the prefix
  --from RELEASE take the release, the .tar.gz file or its https URL; its sum
                 must be the one in SHA256SUMS beside it. Needs no Rust
  --from DIR     take programs already built from DIR instead of building,
                 for example --from target/debug
  -h, --help     show this help
END
}

say() { printf '%s\n' "$*"; }

# MESSAGE and hints.
fail() {
    printf 'install.sh: %s\n' "$1" >&2
    shift
    for hint in "$@"; do
        printf '  hint: %s\n' "$hint" >&2
    done
    exit 1
}

wrong_use() {
    (fail "$1" "see ./install.sh --help") || exit 2
}

# What the command line said, and the directory of a release that is unpacked.
prefix='' from='' demo='' uninstall='' work=''

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix) [ $# -ge 2 ] || wrong_use "--prefix needs a directory"
                prefix=$2; shift ;;
            --prefix=*) prefix=${1#*=} ;;
            --from) [ $# -ge 2 ] || wrong_use "--from needs a release or a directory"
                from=$2; shift ;;
            --from=*) from=${1#*=} ;;
            --demo) demo=yes ;;
            --uninstall) uninstall=yes ;;
            -h | --help) usage; exit 0 ;;
            *) wrong_use "unknown argument: $1" ;;
        esac
        shift
    done
    [ -z "$demo" ] || [ -z "$uninstall" ] || wrong_use "--demo and --uninstall do not go together"
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
        "without Rust: ./install.sh --from s3seal-VERSION-$(uname -m)-linux.tar.gz, the file of a release or its https URL" \
        "with Rust: install it with rustup (https://rustup.rs), and run ./install.sh again"
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

# Sets $work to a directory that goes when the script ends.
make_work() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# URL FILE
download() {
    if command -v curl >/dev/null 2>&1; then
        curl --fail --location --proto '=https' --silent --show-error --output "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget -q -O "$2" "$1"
    else
        fail "neither curl nor wget is on PATH" "download $1 and SHA256SUMS beside it, and name the file: --from FILE.tar.gz"
    fi || fail "cannot download $1" "is the address right, and SHA256SUMS of the same release beside it?"
}

sum_of() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum "$1"
    else
        shasum -a 256 "$1"
    fi | cut -d ' ' -f 1
}

# The sum in the list ARGUMENT 1 for the file name ARGUMENT 2.
listed_sum() {
    while read -r sum name; do
        [ "${name#\*}" != "$2" ] || say "$sum"
    done <"$1"
}

# Compares the archive with SHA256SUMS beside it.
check_sum() {
    sums=$(dirname "$1")/SHA256SUMS
    [ -f "$sums" ] || fail "there is no SHA256SUMS beside $1" "download SHA256SUMS of the same release into the same directory"
    wanted=$(listed_sum "$sums" "${1##*/}")
    [ -n "$wanted" ] || fail "$sums does not list ${1##*/}" "download SHA256SUMS of the same release"
    [ "$(sum_of "$1")" = "$wanted" ] ||
        fail "$1 is not the file that SHA256SUMS lists: its SHA-256 differs" "download both again; nothing was installed"
}

# Sets $built and $tree to the unpacked release.
unpack() {
    check_sum "$1"
    mkdir "$work/unpacked"
    tar -xzf "$1" -C "$work/unpacked" || fail "cannot unpack $1"
    for tree in "$work"/unpacked/*; do
        built=$tree
    done
}

# Sets $built to the directory with the programs, and $tree to the one with what belongs to them.
find_programs() {
    case $from in
        https://*)
            make_work
            archive=$work/${from##*/}
            say "Downloading $from"
            download "$from" "$archive"
            download "${from%/*}/SHA256SUMS" "$work/SHA256SUMS"
            unpack "$archive" ;;
        *://*) fail "a release is downloaded only over https: $from" "name its https URL, or download it and name the file" ;;
        *)
            [ -e "$from" ] || fail "no such file or directory: $from"
            if [ -d "$from" ]; then
                built=$(cd "$from" && pwd)
                [ ! -d "$built/man" ] || tree=$built
            else
                make_work
                unpack "$from"
            fi ;;
    esac
    [ -x "$built/s3seal" ] || fail "there is no s3seal in $from" "in a checkout: cargo build --workspace, then --from target/debug"
    "$built/s3seal" --version >/dev/null 2>&1 ||
        fail "the s3seal in $from does not run on this machine, which is $(uname -sm)" "take the release for this system, or build it with Rust: ./install.sh"
}

# Where no terminal shows cargo's bar, a line now and then shows that the build goes on.
tell_time() {
    while sleep 30 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        say "  still building: $((($(date +%s) - began) / 60)) min $((($(date +%s) - began) % 60)) s"
    done
}

# Sets $built to the directory with the programs.
build() {
    find_cargo
    say "Building s3seal from source; the first time this takes some minutes."
    say "Libraries come first. The last step, s3seal itself, takes the longest."
    began=$(date +%s)
    ticking=''
    if [ ! -t 2 ]; then
        tell_time &
        ticking=$!
    fi
    code=0
    (
        cd "$checkout"
        if [ -n "$demo" ]; then
            cargo build --profile from-source --locked --workspace --bins
        else
            cargo build --profile from-source --locked --bin s3seal
        fi
    ) || code=$?
    [ -z "$ticking" ] || kill "$ticking"
    [ "$code" -eq 0 ] || fail "the build failed, as cargo says above" "a release needs no build: ./install.sh --help"
    say "Built in $(($(date +%s) - began)) s."
    built=${CARGO_TARGET_DIR:-target}/from-source
    case $built in
        /*) ;;
        *) built=$checkout/$built ;;
    esac
}

# What is installed: one "mode target source" a line, the target under the prefix.
listing() {
    say "755 bin/s3seal $built/s3seal"
    for page in "$tree"/man/*.[17]; do
        say "644 share/man/man${page##*.}/${page##*/} $page"
    done
    say "644 share/bash-completion/completions/s3seal $tree/completions/s3seal.bash"
    say "644 share/zsh/site-functions/_s3seal $tree/completions/_s3seal"
    say "644 share/fish/vendor_completions.d/s3seal.fish $tree/completions/s3seal.fish"
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
        [ -f "$source" ] || fail "$source is missing" "is the checkout, or the release, complete?"
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
tree=$checkout
# A release that was unpacked has the program and nothing to build it from.
if [ -z "$from" ] && [ ! -e "$checkout/Cargo.toml" ]; then
    from=$checkout
fi
if [ -n "$from" ]; then
    find_programs
else
    build
fi
install_all
if [ -n "$demo" ]; then
    S3SEAL=$prefix/bin/s3seal SANDBOX=$built/s3seal-sandbox SANDBOX_GOES=$work sh "$tree/tests/sandbox/demo.sh"
fi
