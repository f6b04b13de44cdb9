#!/bin/sh
# Shows the main job on this machine, without an AWS account: a file goes to S3
# in every mode and comes back, and a wrong key is refused. S3 and KMS are the
# sandbox, over HTTPS on 127.0.0.1; it ends with this script, on every way out.
# Expects S3SEAL and SANDBOX to name the two programs; ./install.sh --demo does that. SANDBOX_GOES says that the latter
# is not there afterwards.
set -eu

: "${S3SEAL:?names the s3seal program}" "${SANDBOX:?names the s3seal-sandbox program}"

say() { printf '%s\n' "$*"; }

fail() {
    printf 'demo: %s\n' "$1" >&2
    exit 1
}

[ -x "$SANDBOX" ] || fail "there is no $SANDBOX: cargo build --workspace"

# Nothing of the caller's AWS set-up may lead this anywhere but to the sandbox.
for name in $(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
unset S3SEAL_CONFIG XDG_CONFIG_HOME XDG_STATE_HOME XDG_CACHE_HOME 2>/dev/null || true
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

place=$(mktemp -d)
sandbox=''

clean_up() {
    trap '' INT TERM HUP
    if [ -n "$sandbox" ]; then
        kill "$sandbox" 2>/dev/null || true
        wait "$sandbox" 2>/dev/null || true
    fi
    rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The sandbox also ends when the pipe's other side is gone, should this script be killed.
mkfifo "$place/alive"
"$SANDBOX" --bucket demo --kms-alias alias/demo --env-file "$place/environment" --until-stdin-closes \
    <"$place/alive" >/dev/null &
sandbox=$!
exec 9>"$place/alive"

tries=0
until [ -f "$place/environment" ]; do
    kill -0 "$sandbox" 2>/dev/null || fail "the sandbox did not start"
    tries=$((tries + 1))
    [ "$tries" -le 100 ] || fail "the sandbox was not ready after ten seconds"
    sleep 0.1
done
# shellcheck source=/dev/null
. "$place/environment"
HOME=$place
export HOME
cd "$place"
# Large enough to go up in several parts, and the same on every machine: the manual shows what is printed about it.
seq 1 2000000 >file

# Shows a command as it would be typed, and runs it.
run() {
    say "\$ s3seal $*"
    "$S3SEAL" "$@" 9>&-
}

# NAME, options of put, and after "--" those of get.
round_trip() {
    name=$1
    sealing=''
    shift
    while [ "$1" != -- ]; do
        sealing="$sealing $1"
        shift
    done
    shift
    say
    say "# $name"
    # shellcheck disable=SC2086  # options without spaces, by design
    run put -e "$name" $sealing --part-size 5MiB file "s3://demo/$name"
    run get "$@" "s3://demo/$name" "back-$name"
    cmp file "back-$name" || fail "$name: what came back is not what went in"
    say "identical: $(wc -c <file) bytes"
}

say "# S3 and KMS on this machine, over HTTPS: $AWS_ENDPOINT_URL"
run keygen demo.key
run keygen other.key
round_trip sse-s3 --
round_trip sse-kms --kms-key alias/demo --context team=demo --
round_trip dsse-kms --kms-key alias/demo --
round_trip sse-c --sse-c-key demo.key -- --sse-c-key demo.key
round_trip client --key demo.key -- --key demo.key

say
say "# what is encrypted how"
run inspect s3://demo/ --sse-c-key demo.key

say
say "# the wrong key"
code=0
run get --sse-c-key other.key s3://demo/sse-c refused || code=$?
[ "$code" -eq 5 ] || fail "a wrong key ended with exit $code, not 5"
[ ! -e refused ] || fail "a refused download left a file"
say "refused with exit 5, and no file was written"

# As it is typed where this program is the one on PATH.
typed=$S3SEAL
[ "$(command -v s3seal || true)" != "$S3SEAL" ] || typed=s3seal

cat <<END

Every mode's round trip is shown. What to type next, with your own bucket:

  $typed keygen my.key
  $typed put --key my.key FILE s3://BUCKET/FILE
  $typed get --key my.key s3://BUCKET/FILE -
  $typed inspect s3://BUCKET/
  man s3seal-recipes
END
[ -z "${SANDBOX_GOES:-}" ] || exit 0
cat <<END

Without an AWS account, start the demo's S3 and KMS in one terminal:

  $SANDBOX --bucket demo --kms-alias alias/demo --env-file s3seal-demo.env

In another, in the same directory, read its settings; then BUCKET above is demo:

  . ./s3seal-demo.env
END
