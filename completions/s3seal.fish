# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_s3seal_global_optspecs
    string join \n q/quiet v/verbose json progress= color= profile= region= endpoint-url= kms-endpoint-url= ca-bundle= path-style fips dualstack no-sign-request max-attempts= connect-timeout= read-timeout= allow-http expected-bucket-owner= request-payer= h/help V/version
end

function __fish_s3seal_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_s3seal_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_s3seal_using_subcommand
    set -l cmd (__fish_s3seal_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c s3seal -n "__fish_s3seal_needs_command" -l progress -d 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never' -r -f -a "auto\t'A bar if standard error is a terminal, else nothing'
bar\t'A bar'
plain\t'A line every few seconds'
never\t'Nothing'"
complete -c s3seal -n "__fish_s3seal_needs_command" -l color -d 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'If standard error is a terminal and NO_COLOR is not set'
always\t'Always'
never\t'Never'"
complete -c s3seal -n "__fish_s3seal_needs_command" -l profile -d 'The profile of the AWS configuration files' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l region -d 'The AWS region' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l endpoint-url -d 'The address of S3, for servers other than AWS' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l kms-endpoint-url -d 'The address of KMS, for servers other than AWS; --endpoint-url does not apply to KMS' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l ca-bundle -d 'PEM file of the CA certificates to trust [default: $AWS_CA_BUNDLE, or the system\'s]' -r -F
complete -c s3seal -n "__fish_s3seal_needs_command" -l max-attempts -d 'The maximum number of attempts of a request' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l connect-timeout -d 'How long to wait for a connection, such as 10s' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l read-timeout -d 'How long to wait for the next bytes, such as 1m' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l expected-bucket-owner -d 'The account that must own the bucket' -r
complete -c s3seal -n "__fish_s3seal_needs_command" -l request-payer -d 'Agree to pay for the requests (Requester Pays buckets)' -r -f -a "requester\t''"
complete -c s3seal -n "__fish_s3seal_needs_command" -s q -l quiet -d 'Print only errors'
complete -c s3seal -n "__fish_s3seal_needs_command" -s v -l verbose -d 'Print decisions; twice: also every request, without secrets'
complete -c s3seal -n "__fish_s3seal_needs_command" -l json -d 'Write the outcome as JSON to standard output; see s3seal-json(7)'
complete -c s3seal -n "__fish_s3seal_needs_command" -l path-style -d 'Name the bucket in the path, not in the host name'
complete -c s3seal -n "__fish_s3seal_needs_command" -l fips -d 'Use FIPS endpoints'
complete -c s3seal -n "__fish_s3seal_needs_command" -l dualstack -d 'Use dual-stack endpoints (IPv6 and IPv4)'
complete -c s3seal -n "__fish_s3seal_needs_command" -l no-sign-request -d 'Send requests without credentials'
complete -c s3seal -n "__fish_s3seal_needs_command" -l allow-http -d 'Allow keys over http, to an endpoint on this machine only'
complete -c s3seal -n "__fish_s3seal_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c s3seal -n "__fish_s3seal_needs_command" -s V -l version -d 'Print version'
complete -c s3seal -n "__fish_s3seal_needs_command" -f -a "put" -d 'Store files, directories, standard input or a command\'s output, encrypted'
complete -c s3seal -n "__fish_s3seal_needs_command" -f -a "get" -d 'Fetch an object, or everything under a prefix, decrypted and verified'
complete -c s3seal -n "__fish_s3seal_needs_command" -f -a "inspect" -d 'Show how objects and buckets are encrypted, and audit them'
complete -c s3seal -n "__fish_s3seal_needs_command" -f -a "rotate" -d 'Change the encryption or the key of stored objects'
complete -c s3seal -n "__fish_s3seal_needs_command" -f -a "keygen" -d 'Make a new 256-bit key in a file that only you can read'
complete -c s3seal -n "__fish_s3seal_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l include -d 'Only keys that match PATTERN (*, ?, […]); repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l exclude -d 'Skip keys that match PATTERN; repeatable, the last match decides' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l expected-size -d 'The expected size of standard input or of the command\'s output, to choose the part size' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -s e -l encrypt -d 'How to encrypt [default: the bucket\'s default encryption]' -r -f -a "sse-s3\t'S3 encrypts with its own key'
sse-kms\t'S3 encrypts with a key in AWS KMS (--kms-key, --context, --bucket-key)'
dsse-kms\t'S3 encrypts twice with a key in AWS KMS (--kms-key, --context)'
sse-c\t'S3 encrypts with your key, which it does not keep (--sse-c-key)'
client\t'encrypted before it leaves this machine (--key, --public-key, --kms-key or --passphrase)'"
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l kms-key -d 'The KMS key: id, ARN or alias/NAME [default for sse-kms and dsse-kms: the account\'s aws/s3 key]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l context -d 'A pair of the encryption context, which is not secret and appears in KMS logs; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l sse-c-key -d 'Read the 256-bit key for S3 to encrypt with from SOURCE and send it to S3; implies -e sse-c' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l key -d 'Read the 256-bit key to encrypt with from SOURCE; it never leaves this machine; implies -e client' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l public-key -d 'Read the RSA public key (PEM) to encrypt with from SOURCE; its private key decrypts; implies -e client' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l passphrase -d 'Read the passphrase to encrypt with from SOURCE, or ask for it; implies -e client' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l format -d 'The client-side format [default: s3ec; esdk beyond 64 GiB or for unknown lengths]' -r -f -a "s3ec\t'Amazon S3 Encryption Client, version 3: key-committing'
s3ec-v2\t'Amazon S3 Encryption Client, version 2: for older readers'
esdk\t'AWS Encryption SDK: framed, key-committing, for streams of any length'"
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l at-rest -d 'S3\'s own encryption of the ciphertext: sse-s3, sse-kms[:KEY] or dsse-kms[:KEY] [client]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l frame-length -d 'Bytes of plaintext in a frame [client: esdk; default: 64KiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l key-name -d 'The name of the raw key for other programs [client: esdk; default: s3seal/FINGERPRINT]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l content-type -d 'The Content-Type header [default: guessed from the name]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l metadata -d 'A pair of user metadata; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l tag -d 'A tag; repeatable, up to ten' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l storage-class -d 'The storage class, such as STANDARD_IA' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l acl -d 'A canned ACL' -r -f -a "private\t''
public-read\t''
public-read-write\t''
aws-exec-read\t''
authenticated-read\t''
bucket-owner-read\t''
bucket-owner-full-control\t''"
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l cache-control -d 'The Cache-Control header' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l content-encoding -d 'The Content-Encoding header' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l content-disposition -d 'The Content-Disposition header' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l content-language -d 'The Content-Language header' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l if-match -d 'Store only if the existing object has this ETag' -r -f
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -s j -l jobs -d 'Number of concurrent requests; uses about N × part size of memory [default: 8; with -r 64 small objects]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l part-size -d 'Part size, such as 16MiB; larger for large objects, because S3 limits the number of parts [default: 8MiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l checksum -d 'The checksum to compute, send and store [default: crc64nvme]' -r -f -a "crc64nvme\t''
crc32\t''
crc32c\t''
sha1\t''
sha256\t''"
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l progress -d 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never' -r -f -a "auto\t'A bar if standard error is a terminal, else nothing'
bar\t'A bar'
plain\t'A line every few seconds'
never\t'Nothing'"
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l color -d 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'If standard error is a terminal and NO_COLOR is not set'
always\t'Always'
never\t'Never'"
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l profile -d 'The profile of the AWS configuration files' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l region -d 'The AWS region' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l endpoint-url -d 'The address of S3, for servers other than AWS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l kms-endpoint-url -d 'The address of KMS, for servers other than AWS; --endpoint-url does not apply to KMS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l ca-bundle -d 'PEM file of the CA certificates to trust [default: $AWS_CA_BUNDLE, or the system\'s]' -r -F
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l max-attempts -d 'The maximum number of attempts of a request' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l connect-timeout -d 'How long to wait for a connection, such as 10s' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l read-timeout -d 'How long to wait for the next bytes, such as 1m' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l expected-bucket-owner -d 'The account that must own the bucket' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l request-payer -d 'Agree to pay for the requests (Requester Pays buckets)' -r -f -a "requester\t''"
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -s r -l recursive -d 'Store all files in a directory, each under its path relative to the directory'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l from-command -d 'Store a command\'s output, and only if the command succeeds'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l fail-if-empty -d 'Fail and store nothing if the source is empty'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l bind-name -d 'Add the object\'s name to the encryption context, for get to check [client: a KMS key, or esdk]'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l bucket-key -d 'Use an S3 Bucket Key, which saves requests to KMS [sse-kms]'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l instruction-file -d 'Store the envelope in an instruction file instead of metadata [client: s3ec, s3ec-v2]'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l allow-open-key-file -d 'Accept a key file that others can read'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l allow-weak-key -d 'Encrypt with a key that does not look random'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l no-clobber -d 'Store only if no object with this key exists'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -s q -l quiet -d 'Print only errors'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -s v -l verbose -d 'Print decisions; twice: also every request, without secrets'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l json -d 'Write the outcome as JSON to standard output; see s3seal-json(7)'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l path-style -d 'Name the bucket in the path, not in the host name'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l fips -d 'Use FIPS endpoints'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l dualstack -d 'Use dual-stack endpoints (IPv6 and IPv4)'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l no-sign-request -d 'Send requests without credentials'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -l allow-http -d 'Allow keys over http, to an endpoint on this machine only'
complete -c s3seal -n "__fish_s3seal_using_subcommand put" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l include -d 'Only keys that match PATTERN (*, ?, […]); repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l exclude -d 'Skip keys that match PATTERN; repeatable, the last match decides' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l version-id -d 'The version to fetch' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l range -d 'Bytes to fetch: FIRST-LAST, FIRST- or -COUNT' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l if-match -d 'Fetch only if the object still has this ETag' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -s e -l encrypt -d 'Fail unless the object is encrypted in this mode; use keys for no other mode' -r -f -a "sse-s3\t'S3 encrypts with its own key'
sse-kms\t'S3 encrypts with a key in AWS KMS (--kms-key, --context, --bucket-key)'
dsse-kms\t'S3 encrypts twice with a key in AWS KMS (--kms-key, --context)'
sse-c\t'S3 encrypts with your key, which it does not keep (--sse-c-key)'
client\t'encrypted before it leaves this machine (--key, --public-key, --kms-key or --passphrase)'"
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l sse-c-key -d 'Read an SSE-C key from SOURCE (file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt) and send it to S3; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l key -d 'Read an AES key for client-side objects from SOURCE; it never leaves this machine; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l private-key -d 'Read an RSA private key (PEM) from SOURCE; it never leaves this machine; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l passphrase -d 'Read a passphrase from SOURCE, or ask for it; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l kms-key -d 'A KMS key that may decrypt the object; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l context -d 'A pair that the object\'s encryption context must contain; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l kms-account -d 'An account whose KMS keys an object may choose; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l allow-legacy -d 'Also decrypt formats with weaker guarantees than today\'s' -r -f -a "v2\t'formats without key commitment'
unauthenticated\t'also content without authentication'"
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l max-kdf-memory -d 'Refuse objects that need more memory than this to try a passphrase [default: 256MiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l instruction-suffix -d 'The suffix of the instruction file\'s key [default: .instruction]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -s j -l jobs -d 'Number of concurrent requests; uses about N × part size of memory [default: 8; with -r 64 small objects]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l part-size -d 'Part size, such as 16MiB; larger for large objects, because S3 limits the number of parts [default: 8MiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l progress -d 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never' -r -f -a "auto\t'A bar if standard error is a terminal, else nothing'
bar\t'A bar'
plain\t'A line every few seconds'
never\t'Nothing'"
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l color -d 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'If standard error is a terminal and NO_COLOR is not set'
always\t'Always'
never\t'Never'"
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l profile -d 'The profile of the AWS configuration files' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l region -d 'The AWS region' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l endpoint-url -d 'The address of S3, for servers other than AWS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l kms-endpoint-url -d 'The address of KMS, for servers other than AWS; --endpoint-url does not apply to KMS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l ca-bundle -d 'PEM file of the CA certificates to trust [default: $AWS_CA_BUNDLE, or the system\'s]' -r -F
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l max-attempts -d 'The maximum number of attempts of a request' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l connect-timeout -d 'How long to wait for a connection, such as 10s' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l read-timeout -d 'How long to wait for the next bytes, such as 1m' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l expected-bucket-owner -d 'The account that must own the bucket' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l request-payer -d 'Agree to pay for the requests (Requester Pays buckets)' -r -f -a "requester\t''"
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -s r -l recursive -d 'Fetch all objects under a prefix, each to its relative path in the directory'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l no-clobber -d 'Do not replace existing files'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l unproven -d 'Let bytes go to standard output before they are proven'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l raw -d 'Fetch the ciphertext of a client-side object as stored, for other programs'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l kms-discovery -d 'Let each object choose its KMS key, within --kms-account or the key ARNs given'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l require-bound-name -d 'Refuse objects that --bind-name did not bind to the name they have'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l allow-open-key-file -d 'Accept a key file that others can read'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -s q -l quiet -d 'Print only errors'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -s v -l verbose -d 'Print decisions; twice: also every request, without secrets'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l json -d 'Write the outcome as JSON to standard output; see s3seal-json(7)'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l path-style -d 'Name the bucket in the path, not in the host name'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l fips -d 'Use FIPS endpoints'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l dualstack -d 'Use dual-stack endpoints (IPv6 and IPv4)'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l no-sign-request -d 'Send requests without credentials'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -l allow-http -d 'Allow keys over http, to an endpoint on this machine only'
complete -c s3seal -n "__fish_s3seal_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l version-id -d 'The version to inspect' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l inventory -d 'Audit the S3 Inventory report of this manifest, without a request for each object' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l include -d 'Only keys that match PATTERN (*, ?, […]); repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l exclude -d 'Skip keys that match PATTERN; repeatable, the last match decides' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -s j -l jobs -d 'Number of concurrent requests [default: 32]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l expect -d 'The expected encryption, such as sse-kms or client; repeatable, one of them must match' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l format -d 'Write table, json, ndjson or csv [default: table on a terminal, else ndjson]' -r -f -a "table\t'For people; one object fills a page'
json\t'One JSON document'
ndjson\t'A JSON document on each line, the summary as the last'
csv\t'Comma-separated values with a header; the summary goes to standard error'"
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l report -d 'Also write the summary as an HTML page' -r -F
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l sse-c-key -d 'Read an SSE-C key from SOURCE (file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt) and send it to S3; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l key -d 'Read an AES key for client-side objects from SOURCE; it never leaves this machine; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l private-key -d 'Read an RSA private key (PEM) from SOURCE; it never leaves this machine; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l passphrase -d 'Read a passphrase from SOURCE, or ask for it; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l allow-legacy -d 'Also decrypt formats with weaker guarantees than today\'s' -r -f -a "v2\t'formats without key commitment'
unauthenticated\t'also content without authentication'"
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l max-kdf-memory -d 'Refuse objects that need more memory than this to try a passphrase [default: 256MiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l instruction-suffix -d 'The suffix of the instruction file\'s key [default: .instruction]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l progress -d 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never' -r -f -a "auto\t'A bar if standard error is a terminal, else nothing'
bar\t'A bar'
plain\t'A line every few seconds'
never\t'Nothing'"
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l color -d 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'If standard error is a terminal and NO_COLOR is not set'
always\t'Always'
never\t'Never'"
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l profile -d 'The profile of the AWS configuration files' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l region -d 'The AWS region' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l endpoint-url -d 'The address of S3, for servers other than AWS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l kms-endpoint-url -d 'The address of KMS, for servers other than AWS; --endpoint-url does not apply to KMS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l ca-bundle -d 'PEM file of the CA certificates to trust [default: $AWS_CA_BUNDLE, or the system\'s]' -r -F
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l max-attempts -d 'The maximum number of attempts of a request' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l connect-timeout -d 'How long to wait for a connection, such as 10s' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l read-timeout -d 'How long to wait for the next bytes, such as 1m' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l expected-bucket-owner -d 'The account that must own the bucket' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l request-payer -d 'Agree to pay for the requests (Requester Pays buckets)' -r -f -a "requester\t''"
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l all-versions -d 'Inspect all versions, not only the current one'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l bucket-only -d 'Inspect the bucket itself, not its objects'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l deep -d 'Also detect client-side formats that leave no trace in metadata: one or two more requests for each object'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l allow-empty -d 'Succeed if nothing is found'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l only-unexpected -d 'List only objects that are not as expected'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l allow-open-key-file -d 'Accept a key file that others can read'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -s q -l quiet -d 'Print only errors'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -s v -l verbose -d 'Print decisions; twice: also every request, without secrets'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l json -d 'Write the outcome as JSON to standard output; see s3seal-json(7)'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l path-style -d 'Name the bucket in the path, not in the host name'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l fips -d 'Use FIPS endpoints'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l dualstack -d 'Use dual-stack endpoints (IPv6 and IPv4)'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l no-sign-request -d 'Send requests without credentials'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -l allow-http -d 'Allow keys over http, to an endpoint on this machine only'
complete -c s3seal -n "__fish_s3seal_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l share-to -d 'Write another instruction file with this suffix, for the holder of the new key' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l version-id -d 'The version to change; only an update in place can change one' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l only -d 'Only objects with this mode, key:FINGERPRINT or kms:ARN; repeatable, one of them must match' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l include -d 'Only keys that match PATTERN (*, ?, […]); repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l exclude -d 'Skip keys that match PATTERN; repeatable, the last match decides' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l accept-loss -d 'Rotate objects even if WHAT is lost, such as acl or tags; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l journal -d 'The journal, to continue after an interruption [default: in the state directory]' -r -F
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l batch-role -d 'The ARN of the role that the job assumes; the job runs in the role\'s account' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l batch-report -d 'The prefix for the job\'s report of failures [default: s3seal-batch/ in the bucket]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -s e -l encrypt -d 'How to encrypt [default: the bucket\'s default encryption]' -r -f -a "sse-s3\t'S3 encrypts with its own key'
sse-kms\t'S3 encrypts with a key in AWS KMS (--kms-key, --context, --bucket-key)'
dsse-kms\t'S3 encrypts twice with a key in AWS KMS (--kms-key, --context)'
sse-c\t'S3 encrypts with your key, which it does not keep (--sse-c-key)'
client\t'encrypted before it leaves this machine (--key, --public-key, --kms-key or --passphrase)'"
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l kms-key -d 'The KMS key: id, ARN or alias/NAME [default for sse-kms and dsse-kms: the account\'s aws/s3 key]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l context -d 'A pair of the encryption context, which is not secret and appears in KMS logs; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l sse-c-key -d 'Read the 256-bit key for S3 to encrypt with from SOURCE and send it to S3; implies -e sse-c' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l key -d 'Read the 256-bit key to encrypt with from SOURCE; it never leaves this machine; implies -e client' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l public-key -d 'Read the RSA public key (PEM) to encrypt with from SOURCE; its private key decrypts; implies -e client' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l passphrase -d 'Read the passphrase to encrypt with from SOURCE, or ask for it; implies -e client' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l format -d 'The client-side format [default: s3ec; esdk beyond 64 GiB or for unknown lengths]' -r -f -a "s3ec\t'Amazon S3 Encryption Client, version 3: key-committing'
s3ec-v2\t'Amazon S3 Encryption Client, version 2: for older readers'
esdk\t'AWS Encryption SDK: framed, key-committing, for streams of any length'"
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l at-rest -d 'S3\'s own encryption of the ciphertext: sse-s3, sse-kms[:KEY] or dsse-kms[:KEY] [client]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l frame-length -d 'Bytes of plaintext in a frame [client: esdk; default: 64KiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l key-name -d 'The name of the raw key for other programs [client: esdk; default: s3seal/FINGERPRINT]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l from-sse-c-key -d 'Read an SSE-C key from SOURCE (file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt) and send it to S3; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l from-key -d 'Read an AES key for client-side objects from SOURCE; it never leaves this machine; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l from-private-key -d 'Read an RSA private key (PEM) from SOURCE; it never leaves this machine; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l from-passphrase -d 'Read a passphrase from SOURCE, or ask for it; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l from-kms-key -d 'An old KMS key that may decrypt client-side objects; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l from-context -d 'A pair that the encryption context of client-side objects must contain; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l kms-account -d 'An account whose KMS keys an object may choose; repeatable' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l allow-legacy -d 'Also decrypt formats with weaker guarantees than today\'s' -r -f -a "v2\t'formats without key commitment'
unauthenticated\t'also content without authentication'"
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l max-kdf-memory -d 'Refuse objects that need more memory than this to try a passphrase [default: 256MiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l instruction-suffix -d 'The suffix of the instruction file\'s key [default: .instruction]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -s j -l jobs -d 'Number of concurrent requests; uses about N × part size of memory [default: 8; with -r 64 small objects]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l part-size -d 'Part size, such as 16MiB; larger for large objects, because S3 limits the number of parts [default: 8MiB]' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l progress -d 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never' -r -f -a "auto\t'A bar if standard error is a terminal, else nothing'
bar\t'A bar'
plain\t'A line every few seconds'
never\t'Nothing'"
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l color -d 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'If standard error is a terminal and NO_COLOR is not set'
always\t'Always'
never\t'Never'"
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l profile -d 'The profile of the AWS configuration files' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l region -d 'The AWS region' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l endpoint-url -d 'The address of S3, for servers other than AWS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l kms-endpoint-url -d 'The address of KMS, for servers other than AWS; --endpoint-url does not apply to KMS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l ca-bundle -d 'PEM file of the CA certificates to trust [default: $AWS_CA_BUNDLE, or the system\'s]' -r -F
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l max-attempts -d 'The maximum number of attempts of a request' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l connect-timeout -d 'How long to wait for a connection, such as 10s' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l read-timeout -d 'How long to wait for the next bytes, such as 1m' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l expected-bucket-owner -d 'The account that must own the bucket' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l request-payer -d 'Agree to pay for the requests (Requester Pays buckets)' -r -f -a "requester\t''"
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l rewrap -d 'Only wrap the data key of client-side objects with a new key; format and content stay'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l new-data-key -d 'Use a new data key even where the old one could stay'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l seal-plaintext -d 'Also encrypt objects that are not client-side, where old client-side keys or --new-data-key are given'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l all-versions -d 'Also change older versions, where an update in place can'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l allow-empty -d 'Succeed if nothing is found'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l dry-run -d 'Show what would be done and what it costs, and change nothing; fails if something cannot be done'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -s y -l yes -d 'Do not ask for confirmation'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l verify -d 'Read each rotated object again in full'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l update-in-place -d 'Use UpdateObjectEncryption on a server other than AWS, if a scratch object survives it'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l batch -d 'Create an S3 Batch Operations job instead, and print its id [-e sse-kms]'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l bind-name -d 'Add the object\'s name to the encryption context, for get to check [client: a KMS key, or esdk]'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l bucket-key -d 'Use an S3 Bucket Key, which saves requests to KMS [sse-kms]'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l instruction-file -d 'Store the envelope in an instruction file instead of metadata [client: s3ec, s3ec-v2]'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l allow-open-key-file -d 'Accept a key file that others can read'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l allow-weak-key -d 'Encrypt with a key that does not look random'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l kms-discovery -d 'Let each object choose its KMS key, within --kms-account or the key ARNs given'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l require-bound-name -d 'Refuse objects that --bind-name did not bind to the name they have'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -s q -l quiet -d 'Print only errors'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -s v -l verbose -d 'Print decisions; twice: also every request, without secrets'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l json -d 'Write the outcome as JSON to standard output; see s3seal-json(7)'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l path-style -d 'Name the bucket in the path, not in the host name'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l fips -d 'Use FIPS endpoints'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l dualstack -d 'Use dual-stack endpoints (IPv6 and IPv4)'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l no-sign-request -d 'Send requests without credentials'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -l allow-http -d 'Allow keys over http, to an endpoint on this machine only'
complete -c s3seal -n "__fish_s3seal_using_subcommand rotate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l form -d 'How the key is written' -r -f -a "base64\t'A line of base64'
hex\t'A line of 64 hex digits'
raw\t'The 32 bytes as they are'"
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l progress -d 'Show progress: auto (a bar on a terminal), bar, plain (lines) or never' -r -f -a "auto\t'A bar if standard error is a terminal, else nothing'
bar\t'A bar'
plain\t'A line every few seconds'
never\t'Nothing'"
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l color -d 'Use colours: auto (on a terminal, unless NO_COLOR is set), always or never' -r -f -a "auto\t'If standard error is a terminal and NO_COLOR is not set'
always\t'Always'
never\t'Never'"
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l profile -d 'The profile of the AWS configuration files' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l region -d 'The AWS region' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l endpoint-url -d 'The address of S3, for servers other than AWS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l kms-endpoint-url -d 'The address of KMS, for servers other than AWS; --endpoint-url does not apply to KMS' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l ca-bundle -d 'PEM file of the CA certificates to trust [default: $AWS_CA_BUNDLE, or the system\'s]' -r -F
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l max-attempts -d 'The maximum number of attempts of a request' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l connect-timeout -d 'How long to wait for a connection, such as 10s' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l read-timeout -d 'How long to wait for the next bytes, such as 1m' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l expected-bucket-owner -d 'The account that must own the bucket' -r
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l request-payer -d 'Agree to pay for the requests (Requester Pays buckets)' -r -f -a "requester\t''"
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -s q -l quiet -d 'Print only errors'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -s v -l verbose -d 'Print decisions; twice: also every request, without secrets'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l json -d 'Write the outcome as JSON to standard output; see s3seal-json(7)'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l path-style -d 'Name the bucket in the path, not in the host name'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l fips -d 'Use FIPS endpoints'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l dualstack -d 'Use dual-stack endpoints (IPv6 and IPv4)'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l no-sign-request -d 'Send requests without credentials'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -l allow-http -d 'Allow keys over http, to an endpoint on this machine only'
complete -c s3seal -n "__fish_s3seal_using_subcommand keygen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c s3seal -n "__fish_s3seal_using_subcommand help; and not __fish_seen_subcommand_from put get inspect rotate keygen help" -f -a "put" -d 'Store files, directories, standard input or a command\'s output, encrypted'
complete -c s3seal -n "__fish_s3seal_using_subcommand help; and not __fish_seen_subcommand_from put get inspect rotate keygen help" -f -a "get" -d 'Fetch an object, or everything under a prefix, decrypted and verified'
complete -c s3seal -n "__fish_s3seal_using_subcommand help; and not __fish_seen_subcommand_from put get inspect rotate keygen help" -f -a "inspect" -d 'Show how objects and buckets are encrypted, and audit them'
complete -c s3seal -n "__fish_s3seal_using_subcommand help; and not __fish_seen_subcommand_from put get inspect rotate keygen help" -f -a "rotate" -d 'Change the encryption or the key of stored objects'
complete -c s3seal -n "__fish_s3seal_using_subcommand help; and not __fish_seen_subcommand_from put get inspect rotate keygen help" -f -a "keygen" -d 'Make a new 256-bit key in a file that only you can read'
complete -c s3seal -n "__fish_s3seal_using_subcommand help; and not __fish_seen_subcommand_from put get inspect rotate keygen help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
